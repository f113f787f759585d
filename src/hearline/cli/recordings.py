"""Recordings on disk: what a file holds, judged by its content, and its bytes in pieces.

Reads WAV and headerless PCM. Knows no server; holds no more of a file than a piece.
"""

import stat
from collections.abc import Generator
from contextlib import contextmanager
from io import FileIO
from os import fstat
from pathlib import Path
from typing import Final

from hearline.audio.wav import Layout, WavHeader
from hearline.errors import AudioError

_PIECE_BYTES: Final = 32 * 1024
_PROBE_BYTES: Final = 12
_WAV_MAGICS: Final = (b"RIFF", b"RF64")
_HEADERLESS_SUFFIXES: Final = frozenset({".raw", ".pcm"})
_DEFAULT_RATE: Final = 16_000
_LEAST_RATE: Final = 8_000
_GREATEST_RATE: Final = 96_000


class Recording:
    """An open file of audio."""

    def __init__(self, file: FileIO, rate: int | None) -> None:
        """Read the beginning.

        Args:
            file: At its first byte.
            rate: Sample rate in Hz if the audio is headerless, and None if it must not be.

        Raises:
            AudioError: It holds nothing that can be recognised.

        """
        self._file = file
        self._read_bytes = 0
        status = fstat(file.fileno())
        self._file_bytes = status.st_size if stat.S_ISREG(status.st_mode) else None
        self._head = b""
        while len(self._head) < _PROBE_BYTES and (piece := self._read_piece()):
            self._head += piece
        if not self._head:
            raise AudioError("the file is empty.")
        self._is_wav = self._head.startswith(_WAV_MAGICS)
        if self._is_wav:
            self._layout, self._header_bytes, self._data_bytes = self._read_header()
        elif rate is not None:
            self._layout = Layout(kind="int", bits=16, channels=1, sample_rate=rate)
            self._header_bytes, self._data_bytes = 0, None
        else:
            raise AudioError(
                "this is no audio that can be read: only wav and raw pcm are, as yet. Convert it "
                "(ffmpeg -i FILE FILE.wav), or give --rate if it is headerless 16-bit pcm."
            )

    @property
    def format(self) -> str:
        """The format to declare."""
        return "wav" if self._is_wav else "pcm"

    @property
    def sample_rate(self) -> int:
        """The rate in Hz to declare: the nearest that can be, for a WAV header overrules it."""
        return min(max(self._layout.sample_rate, _LEAST_RATE), _GREATEST_RATE)

    @property
    def duration_ms(self) -> int | None:
        """How long it is; None while that cannot be known, as in a pipe."""
        if self._file_bytes is None:
            return None
        audio_bytes = max(self._file_bytes - self._header_bytes, 0)
        if self._data_bytes is not None:
            audio_bytes = min(audio_bytes, self._data_bytes)
        return audio_bytes // self._layout.frame_bytes * 1000 // self._layout.sample_rate

    def read(self) -> bytes:
        """Return the next bytes of the file, the header included; none at its end.

        Raises:
            AudioError: The file can be read no further.

        """
        if self._head:
            head, self._head = self._head, b""
            return head
        piece = self._read_piece()
        if not piece:
            self._file_bytes = self._read_bytes
        return piece

    def _read_piece(self) -> bytes:
        with _renaming():
            piece = self._file.read(_PIECE_BYTES)
        self._read_bytes += len(piece)
        return piece

    def _read_header(self) -> tuple[Layout, int, int | None]:
        """Return the layout, the bytes before the audio, and its bytes if the header says so."""
        header, pending = WavHeader(), bytearray(self._head)
        while (found := header.read(pending)) is None:
            piece = self._read_piece()
            if not piece:
                raise AudioError("the WAV header is incomplete: the file was cut off.")
            self._head += piece
            pending += piece
        layout, data_bytes = found
        return layout, len(self._head) - len(pending), data_bytes


@contextmanager
def open_recording(path: Path, rate: int | None) -> Generator[Recording]:
    """Open a recording for as long as the context lasts.

    Args:
        path: Where it is; a pipe will do.
        rate: Sample rate in Hz, said of headerless audio.

    Raises:
        AudioError: It cannot be read, or holds nothing that can be recognised.

    """
    if rate is None and path.suffix.lower() in _HEADERLESS_SUFFIXES:
        rate = _DEFAULT_RATE
    with _renaming():
        # Without a buffer: a pipe gives what it has, and can be closed while somebody reads.
        file = path.open("rb", buffering=0)
    with file:
        yield Recording(file, rate)


@contextmanager
def _renaming() -> Generator[None]:
    """Raise what the system says about a file as an error about this recording."""
    try:
        yield
    except IsADirectoryError as exc:
        raise AudioError("this is a directory: name the files in it.") from exc
    except OSError as exc:
        raise AudioError(f"{exc.strerror or exc}.".lower()) from exc
