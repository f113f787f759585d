"""The contract of a voice activity detector: frames of audio to probabilities of speech."""

from collections.abc import Sequence
from typing import Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

FRAME_SAMPLES: Final = 512
"""Samples in one frame: 32 ms at 16 kHz, the only size the Silero models take."""

Frames: TypeAlias = npt.NDArray[np.float32]
"""Frames of several sessions, shape ``(sessions, FRAME_SAMPLES)``."""


class DetectorState:
    """What a detector remembers of one session's audio; only its detector looks inside."""

    __slots__ = ()


class Detector(Protocol):
    """Judges frames of many sessions in one call.

    May be called from several threads at once, never twice at once with the same state.
    """

    def open(self) -> DetectorState:
        """Return the state of a session that has heard nothing."""
        ...

    def probabilities(self, states: Sequence[DetectorState], frames: Frames) -> Sequence[float]:
        """Judge the next frame of each session and advance its state.

        Args:
            states: One for each session.
            frames: Their frames, in the same order.

        Returns:
            Probability of speech in ``[0, 1]`` for each.

        """
        ...
