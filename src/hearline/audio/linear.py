"""Linear PCM, bare or in a WAV container, to samples.

Whether there is a container is decided by the bytes, not by the declaration: real clients declare
``wav`` and send bare PCM, or send a WAV file as ``pcm``, and neither may become noise (spec 2.1).
"""

from typing import Final

import numpy as np

from hearline.audio.resampling import Resampler
from hearline.audio.wav import Layout, WavHeader
from hearline.errors import AudioError
from hearline.speech import Samples

_PROBE_BYTES: Final = 12
"""Enough to know every magic below."""

_MAGICS: Final = (
    (b"OggS", 0, "an Ogg file"),
    (b"fLaC", 0, "a FLAC file"),
    (b"ID3", 0, "an MP3 file"),
    (b"#!AMR", 0, "an AMR file"),
    (b"ftyp", 4, "an MP4 file"),
    (b"ADIF", 0, "an AAC file"),
    (b"\x1aE\xdf\xa3", 0, "a WebM file"),
    (b"caff", 0, "a CAF file"),
)
"""Containers that are surely not PCM: magic, its offset, its name."""

_EMPTY: Final[Samples] = np.zeros(0, np.float32)


class LinearDecoder:
    """Decodes PCM of any layout, resampled to 16 kHz and mixed down to mono."""

    def __init__(self, declared: str, sample_rate: int) -> None:
        """Prepare for a stream.

        Args:
            declared: ``"pcm"`` or ``"wav"``.
            sample_rate: Rate in Hz of headerless audio; a WAV header overrules it.

        """
        self._declared = declared
        self._layout = Layout(kind="int", bits=16, channels=1, sample_rate=sample_rate)
        self._pending = bytearray()
        self._probed = False
        self._header: WavHeader | None = None
        self._bytes_left: int | None = None
        self._resampler: Resampler | None = None

    def feed(self, data: bytes) -> Samples:
        """Take the next bytes; see `Decoder.feed`."""
        self._pending += data
        if not self._probed:
            if len(self._pending) < _PROBE_BYTES:
                return _EMPTY
            self._probe()
        return self._convert_whole_frames()

    def finish(self) -> Samples:
        """Declare the end; see `Decoder.finish`."""
        if not self._probed:
            self._probe()
        tail = self._convert_whole_frames()
        if self._header is not None:
            raise AudioError(f"Audio declared as {self._declared}: the WAV header is incomplete.")
        if self._resampler is None:
            return tail
        return np.concatenate([tail, self._resampler.finish()])

    def _probe(self) -> None:
        self._probed = True
        if bytes(self._pending[:4]) in (b"RIFF", b"RF64"):
            self._header = WavHeader()
            return
        for magic, offset, name in _MAGICS:
            if self._pending.startswith(magic, offset):
                raise AudioError(f"Audio declared as {self._declared}, but the bytes are {name}.")

    def _convert_whole_frames(self) -> Samples:
        if self._header is not None and not self._read_header(self._header):
            return _EMPTY
        frame_bytes = self._layout.frame_bytes
        available = len(self._pending)
        if self._bytes_left is not None:
            available = min(available, self._bytes_left)
        whole = available - available % frame_bytes
        raw = bytes(self._pending[:whole])
        if self._bytes_left is not None:
            self._bytes_left -= whole
        if self._bytes_left is not None and self._bytes_left < frame_bytes:
            self._pending.clear()  # what follows the data chunk is not audio
        else:
            del self._pending[:whole]
        mono = self._layout.to_mono(raw)
        if self._resampler is None and mono.size:
            self._resampler = Resampler(self._layout.sample_rate)
        return mono if self._resampler is None else self._resampler.feed(mono)

    def _read_header(self, header: WavHeader) -> bool:
        """Advance the header and return whether it is complete."""
        found = header.read(self._pending)
        if found is None:
            return False
        self._layout, self._bytes_left = found
        self._header = None
        return True
