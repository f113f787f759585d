"""A detector that takes loud for speech: the scripted engine's companion, which needs no voice."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from hearline.vad.detector import DetectorState, Frames

_LOUD: Final = 0.01
"""Root mean square of a frame from which it counts as speech: -40 dB."""


class Loudness:
    """A `Detector` without a model."""

    def open(self) -> DetectorState:
        """Return the state of a session that has heard nothing."""
        return DetectorState()

    def probabilities(self, states: Sequence[DetectorState], frames: Frames) -> Sequence[float]:  # noqa: ARG002 - it remembers nothing
        """Judge each frame by its loudness; see `Detector.probabilities`."""
        return [float(rms >= _LOUD) for rms in np.sqrt(np.mean(frames**2, axis=1))]
