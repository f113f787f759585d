"""Speech probabilities to utterance boundaries, by silence and by length.

Knows frames and sample indices only. A boundary depends on the probabilities up to its frame, so
never on how the audio was cut into packets.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from hearline.speech import SAMPLE_RATE, EndpointReason
from hearline.vad.detector import FRAME_SAMPLES

_ONSET: Final = 0.5
"""A frame at least this probable is speech."""
_RELEASE: Final = 0.35
"""Within speech, a frame at least this probable still is; Silero's own hysteresis of 0.15."""
_ONSET_FRAMES: Final = 2
"""Frames of speech in a row that begin an utterance, so that a click does not: 64 ms."""
_LONGEST: Final = 60 * SAMPLE_RATE
"""Longest utterance in samples, so that the work for one final is bounded."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech has begun.

    Attributes:
        begin: Index of the first sample of speech.

    """

    begin: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """An utterance is over.

    Attributes:
        end: Index after the last sample of speech, not of the silence that followed.
        reason: Why it is over.

    """

    end: int
    reason: EndpointReason


Boundary: TypeAlias = SpeechStarted | SpeechEnded


class Segmenter:
    """Turns speech probabilities into utterance boundaries."""

    def __init__(self, *, silence: int, longest: int = _LONGEST) -> None:
        """Begin in silence.

        Args:
            silence: Samples of silence that end an utterance (``max_sentence_silence``, spec 3.1).
            longest: Samples after which an utterance is cut, speech or not.

        """
        self._silence = silence
        self._longest = longest
        self._now = 0
        self._speaking = False
        self._onset_frames = 0
        self._begin = 0
        self._speech_end = 0

    @property
    def speaking(self) -> bool:
        """Whether an utterance is open."""
        return self._speaking

    @property
    def silent_for(self) -> int:
        """Samples since the last frame of speech."""
        return self._now - self._speech_end

    def feed(self, probability: float) -> Boundary | None:
        """Take the next frame's speech probability.

        Args:
            probability: Speech probability of the frame, in ``[0, 1]``.

        Returns:
            The boundary this frame crossed, if any.

        """
        self._now += FRAME_SAMPLES
        if probability >= (_RELEASE if self._speaking else _ONSET):
            self._speech_end = self._now
        if not self._speaking:
            return self._listen()
        if self.silent_for >= self._silence:
            return self._end(EndpointReason.SILENCE)
        if self._now - self._begin >= self._longest:
            return self._end(EndpointReason.LENGTH)
        return None

    def finish(self) -> SpeechEnded | None:
        """Declare the end of the audio and return the boundary it makes, if speech was open."""
        return self._end(EndpointReason.CLIENT) if self._speaking else None

    def _listen(self) -> SpeechStarted | None:
        if self.silent_for:
            self._onset_frames = 0
            return None
        self._onset_frames += 1
        if self._onset_frames < _ONSET_FRAMES:
            return None
        self._begin = self._now - self._onset_frames * FRAME_SAMPLES
        self._speaking = True
        return SpeechStarted(self._begin)

    def _end(self, reason: EndpointReason) -> SpeechEnded:
        self._speaking = False
        self._onset_frames = 0
        return SpeechEnded(self._speech_end, reason)
