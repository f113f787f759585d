"""Mel-frequency cepstra as the English model of PocketSphinx was trained on, in numpy.

The recogniser's own front end normalises what it hears by a running mean that outlives the
utterance; computing the cepstra here makes the mean ours to choose and every result a function of
the utterance alone. Same numbers as Sphinx to five digits: pre-emphasis 0.97, Hamming window of
410 samples every 160, 512-point spectrum, 25 triangular filters of unit area from 130 to 6,800 Hz,
unitary DCT, 13 coefficients liftered by 22, spectral subtraction by minima tracking (feat.params
of the model; Doblinger, "Computationally efficient speech enhancement by spectral minima tracking
in subbands", Eurospeech 1995; temporal masking and weight smoothing after Kim and Stern, "Power-
normalized cepstral coefficients", ICASSP 2012).
"""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

HOP: Final = 160
"""Samples from one frame's start to the next's: 10 ms."""

COEFFICIENTS: Final = 13
"""Cepstral coefficients per frame."""

Pcm: TypeAlias = npt.NDArray[np.int16]
"""Signed 16-bit mono samples of shape ``(n,)`` at 16 kHz."""

Cepstra: TypeAlias = npt.NDArray[np.float32]
"""Cepstra of shape ``(frames, 13)``."""

Floats: TypeAlias = npt.NDArray[np.float64]

_RATE: Final = 16_000
_WINDOW: Final = 410
_FFT: Final = 512
_FILTERS: Final = 25
_LOWEST_HZ: Final = 130.0
_HIGHEST_HZ: Final = 6_800.0
_PRE_EMPHASIS: Final = 0.97
_LIFTER: Final = 22
_LOG_FLOOR: Final = 1e-4


def _mel_filters() -> Floats:
    """Return triangles of unit area, shape ``(257, 25)``; their corners lie on DFT points."""
    mels = np.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), _FILTERS + 2)
    step = _RATE / _FFT
    corners = np.floor(700.0 * (10.0 ** (mels / 2595.0) - 1.0) / step + 0.5) * step
    low, middle, high = corners[:-2], corners[1:-1], corners[2:]
    hz = (np.arange(_FFT // 2 + 1) * step)[:, None]
    triangle = np.minimum((hz - low) / (middle - low), (high - hz) / (high - middle))
    return np.maximum(triangle, 0.0) * 2.0 / (high - low)


def _mel(hz: float) -> float:
    return 2595.0 * float(np.log10(1.0 + hz / 700.0))


def _liftered_dct() -> Floats:
    """Return the transform from log filter energies, shape ``(25, 13)``."""
    order = np.arange(COEFFICIENTS)
    angle = np.pi / _FILTERS * (np.arange(_FILTERS)[:, None] + 0.5) * order
    unitary = np.sqrt((2.0 - (order == 0)) / _FILTERS)
    return np.cos(angle) * unitary * (1.0 + _LIFTER / 2 * np.sin(order * np.pi / _LIFTER))


def _neighbours(reach: int) -> Floats:
    """Return the averaging over ``reach`` filters on either side, shape ``(25, 25)``."""
    index = np.arange(_FILTERS)
    near = (np.abs(index[:, None] - index) <= reach).astype(np.float64)
    return near / near.sum(axis=1, keepdims=True)


class NoiseReducer:
    """Takes stationary noise out of filter energies, frame after frame."""

    _smoothing: Final = _neighbours(4)
    _gain_limit: Final = 20.0

    def __init__(self) -> None:
        self._power: Floats | None = None
        self._noise = self._floor = self._peak = np.zeros(_FILTERS)

    def __call__(self, energies: Floats) -> Floats:
        """Return the cleaned energies of the next frames, shape ``(frames, 25)``."""
        cleaned = np.empty_like(energies)
        for index, energy in enumerate(energies):
            cleaned[index] = energy * (self._smoothing @ self._gain(energy))
        return cleaned

    def _gain(self, energy: Floats) -> Floats:
        if self._power is None:
            self._power = energy
            self._noise = self._floor = energy / self._gain_limit
        self._power = 0.7 * self._power + 0.3 * energy
        self._noise = _track_minimum(self._noise, self._power)
        signal = np.maximum(self._power - self._noise, 1.0)
        self._floor = _track_minimum(self._floor, signal)
        decayed = 0.85 * self._peak
        self._peak = np.maximum(decayed, signal)
        signal = np.where(signal < 0.85 * decayed, 0.2 * decayed, signal)
        signal = np.maximum(signal, self._floor)
        # A power of zero has the limit for gain: nothing times 20 is still nothing.
        gain = np.divide(
            signal, self._power, out=np.full(_FILTERS, self._gain_limit), where=self._power > 0
        )
        return np.clip(gain, 1.0 / self._gain_limit, self._gain_limit)


def _track_minimum(minimum: Floats, value: Floats) -> Floats:
    """Follow falling values fast and rising ones slowly."""
    keep = np.where(value >= minimum, 0.995, 0.5)
    return keep * minimum + (1.0 - keep) * value


class FrontEnd:
    """Turns one utterance's samples into cepstra as they arrive."""

    _hamming: Final = np.hamming(_WINDOW)
    _filters: Final = _mel_filters()
    _dct: Final = _liftered_dct()

    def __init__(self) -> None:
        self._reduce_noise = NoiseReducer()
        self._last = 0.0
        self._unframed = np.empty(0)

    def accept(self, samples: Pcm) -> Cepstra:
        """Take samples and return the cepstra of every frame that is now complete."""
        raw = samples.astype(np.float64)
        delayed = np.concatenate(([self._last], raw))
        self._last = float(delayed[-1])
        emphasised = raw - _PRE_EMPHASIS * delayed[:-1]
        self._unframed = np.concatenate((self._unframed, emphasised))
        return self._transform(max(0, (self._unframed.size - _WINDOW) // HOP + 1))

    def finish(self) -> Cepstra:
        """Return the frame that the last samples begin, filled up with zeros, if any."""
        if not self._unframed.size:
            return np.empty((0, COEFFICIENTS), np.float32)
        self._unframed = np.pad(self._unframed, (0, _WINDOW - self._unframed.size))
        return self._transform(1)

    def _transform(self, frames: int) -> Cepstra:
        """Take this many frames off the samples and return their cepstra."""
        if not frames:
            return np.empty((0, COEFFICIENTS), np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(self._unframed, _WINDOW)
        spectra = np.fft.rfft(windows[: frames * HOP : HOP] * self._hamming, _FFT)
        energies = self._reduce_noise(np.abs(spectra) ** 2 @ self._filters)
        self._unframed = self._unframed[frames * HOP :]
        return (np.log(energies + _LOG_FLOOR) @ self._dct).astype(np.float32)
