"""Speech probabilities to utterance boundaries, by silence and by length.

Knows frames and sample indices only. A boundary depends on the probabilities up to its frame, so
never on how the audio was cut into packets.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from hearline.speech import SAMPLE_RATE, EndpointReason
from hearline.vad.detector import FRAME_SAMPLES
from hearline.vad.rules import LEAST_SILENCE_S, SilenceRule

_ONSET: Final = 0.5
"""A frame at least this probable is speech."""
_SHIFT: Final = 0.4
"""How far ``speech_noise_threshold`` moves that: to 0.1 at -1, to 0.9 at 1."""
_HYSTERESIS: Final = 0.15
"""Within speech, a frame less probable by this still is: Silero's own value."""
_LEAST: Final = 0.02
"""What no frame falls short of to be speech."""
_ONSET_FRAMES: Final = 2
"""Frames of speech in a row that begin an utterance, so that a click does not: 64 ms."""
_LEAST_SILENCE: Final = round(LEAST_SILENCE_S * SAMPLE_RATE)


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

    def __init__(self, rule: SilenceRule, *, noise_threshold: float = 0.0) -> None:
        """Begin in silence.

        Args:
            rule: How much silence ends an utterance.
            noise_threshold: In ``[-1, 1]``: the lower, the more counts as speech
                (``speech_noise_threshold``, spec 3.1).

        """
        self._rule = rule
        self._onset = _ONSET + _SHIFT * noise_threshold
        self._release = max(_LEAST, self._onset - _HYSTERESIS)
        self._now = 0
        self._speaking = False
        self._onset_frames = 0
        self._flowing = False
        """Whether speech was cut for its length and goes on."""
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
        in_speech = self._speaking or self._flowing
        if probability >= (self._release if in_speech else self._onset):
            self._speech_end = self._now
        if not self._speaking:
            return self._listen()
        needed = self._rule.needed(self._now - self._begin)
        if self.silent_for < needed:
            return None
        by_length = needed < _LEAST_SILENCE
        return self._end(EndpointReason.LENGTH if by_length else EndpointReason.SILENCE)

    def finish(self) -> SpeechEnded | None:
        """Declare the end of the audio and return the boundary it makes, if speech was open."""
        return self._end(EndpointReason.CLIENT) if self._speaking else None

    def _listen(self) -> SpeechStarted | None:
        if self.silent_for:
            self._onset_frames = 0
            self._flowing = False
            return None
        self._onset_frames += 1
        if self._onset_frames < _ONSET_FRAMES and not self._flowing:
            return None
        self._begin = self._now - self._onset_frames * FRAME_SAMPLES
        self._speaking = True
        return SpeechStarted(self._begin)

    def _end(self, reason: EndpointReason) -> SpeechEnded:
        self._speaking = False
        self._onset_frames = 0
        self._flowing = not self.silent_for
        return SpeechEnded(self._speech_end, reason)
