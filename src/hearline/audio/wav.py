"""The WAV container: its header, chunk by chunk, and the sample layouts it can describe."""

import struct
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from hearline.errors import AudioError
from hearline.speech import Samples

_PCM: Final = 1
_FLOAT: Final = 3
_EXTENSIBLE: Final = 0xFFFE
_MEDIA_SUBTYPE: Final = bytes.fromhex("000000001000800000aa00389b71")
"""The part after the format tag of every linear sub-format GUID."""

_SAMPLE_LAYOUTS: Final = {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_FLOAT, 64)}
_CHANNELS: Final = range(1, 9)
_RATES: Final = range(4_000, 192_001)
_FORMAT_BYTES: Final = range(16, 4_097)
_HEADER_BYTES: Final = 256 * 1024
"""Most bytes of other chunks that are skipped in search of the audio."""
_LENGTH_UNKNOWN: Final = 0x7FFFF000
"""Sizes from here on, and 0, were written before the length was known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How linear PCM lies in memory: little-endian, channels interleaved.

    Attributes:
        kind: ``"int"`` or ``"float"``; 8-bit integers are unsigned, as WAV has them.
        bits: Bits per sample.
        channels: Samples per frame.
        sample_rate: Frames per second.

    """

    kind: Literal["int", "float"]
    bits: int
    channels: int
    sample_rate: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame over all channels."""
        return self.bits // 8 * self.channels

    def to_mono(self, raw: bytes) -> Samples:
        """Convert whole frames.

        Args:
            raw: A multiple of `frame_bytes`.

        Returns:
            The mean of the channels, shape ``(n,)``, in ``[-1, 1]``; not a number counts as 0.

        """
        flat = self._to_float(raw)
        if self.channels == 1:
            return flat
        return flat.reshape(-1, self.channels).mean(axis=1, dtype=np.float32)

    def _to_float(self, raw: bytes) -> Samples:
        if self.kind == "float":
            wide = np.frombuffer(raw, f"<f{self.bits // 8}")
            return np.nan_to_num(np.clip(wide, -1.0, 1.0)).astype(np.float32)
        if self.bits == 8:
            return (np.frombuffer(raw, np.uint8).astype(np.float32) - 128.0) / np.float32(128.0)
        if self.bits == 24:
            padded = np.zeros((len(raw) // 3, 4), np.uint8)
            padded[:, 1:] = np.frombuffer(raw, np.uint8).reshape(-1, 3)
            raw, bits = padded.tobytes(), 32
        else:
            bits = self.bits
        integers = np.frombuffer(raw, f"<i{bits // 8}")
        return integers.astype(np.float32) * np.float32(2.0 ** (1 - bits))


class WavHeader:
    """Reads a WAV header up to the first byte of audio, whatever chunks stand before it."""

    def __init__(self) -> None:
        self._riff_read = False
        self._layout: Layout | None = None
        self._skip = 0
        self._skipped = 0

    def read(self, pending: bytearray) -> tuple[Layout, int | None] | None:
        """Consume what can be consumed from the front of `pending`.

        Returns:
            The layout and the number of bytes of audio (None if the header does not know it), or
            None while the header goes on.

        Raises:
            AudioError: It is not a WAV header of linear PCM.

        """
        if not self._riff_read:
            if len(pending) < 12:
                return None
            if bytes(pending[8:12]) != b"WAVE":
                raise AudioError("Audio is a RIFF file, but not a WAV file.")
            del pending[:12]
            self._riff_read = True
        while self._skip_unwanted(pending) and len(pending) >= 8:
            name, size = bytes(pending[:4]), int.from_bytes(pending[4:8], "little")
            if name == b"data":
                del pending[:8]
                return self._begin_data(size)
            if name == b"fmt " and len(pending) < 8 + min(size, _FORMAT_BYTES.stop):
                return None
            self._read_chunk(name, size, pending)
        return None

    def _read_chunk(self, name: bytes, size: int, pending: bytearray) -> None:
        if name == b"fmt ":
            if size not in _FORMAT_BYTES:
                raise AudioError(f"WAV header: format chunk of {size} bytes.")
            self._layout = _read_layout(bytes(pending[8 : 8 + size]))
        self._skipped += size
        if self._skipped > _HEADER_BYTES:
            raise AudioError(f"WAV header: over {_HEADER_BYTES} bytes before the audio.")
        self._skip = 8 + size + size % 2

    def _skip_unwanted(self, pending: bytearray) -> bool:
        skipped = min(self._skip, len(pending))
        del pending[:skipped]
        self._skip -= skipped
        return self._skip == 0

    def _begin_data(self, size: int) -> tuple[Layout, int | None]:
        if self._layout is None:
            raise AudioError("WAV header: audio before its format.")
        return self._layout, None if size == 0 or size >= _LENGTH_UNKNOWN else size


def _read_layout(chunk: bytes) -> Layout:
    tag, channels, rate, _, align, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE and chunk[26:40] == _MEDIA_SUBTYPE:
        (tag,) = struct.unpack_from("<H", chunk, 24)
    if (tag, bits) not in _SAMPLE_LAYOUTS:
        raise AudioError(f"WAV of format tag {tag} with {bits} bits: only linear PCM is accepted.")
    if channels not in _CHANNELS or align != channels * bits // 8:
        raise AudioError(f"WAV of {channels} channels, {align} bytes a frame: 1 to 8 are accepted.")
    if rate not in _RATES:
        raise AudioError(f"WAV of {rate} Hz: {_RATES.start} to {_RATES.stop - 1} Hz are accepted.")
    return Layout(
        kind="float" if tag == _FLOAT else "int", bits=bits, channels=channels, sample_rate=rate
    )
