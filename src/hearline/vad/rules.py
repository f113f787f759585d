"""When silence ends an utterance: the three modes of a task, as data.

A rule is a curve: how much silence is needed, by how long the utterance is already. All modes share
its end: in the last ten seconds before the longest utterance the need falls to nothing, so that
what must be cut is cut in a pause if there is any, and in speech only if there is none.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Self

from hearline.speech import SAMPLE_RATE

_LONGEST_S: Final = 60.0
"""Longest utterance, so that the work for one final is bounded."""
_HASTE_S: Final = 10.0
"""How long before that the need for silence begins to fall."""
LEAST_SILENCE_S: Final = 0.2
"""Least silence that ends a sentence by itself: the lower end of ``max_sentence_silence``."""

_SHRINK_FROM_S: Final = 5.0
_SHRINK_TO_S: Final = 30.0

_SEMANTIC_SILENCE_S: Final = 2.0
"""Silence that ends any sentence in semantic mode (spec 3.1)."""
_COMPLETE_AFTER_S: Final = 2.0
_COMPLETE_SILENCE_S: Final = 0.8


@dataclass(frozen=True, slots=True)
class SilenceRule:
    """How much silence ends an utterance.

    Attributes:
        points: Pairs of utterance length and silence needed, in samples, by increasing length;
            between them the need is linear, after the last it stays.

    """

    points: tuple[tuple[int, int], ...]

    @classmethod
    def constant(cls, silence_s: float) -> Self:
        """Return the rule of ``max_sentence_silence``: the same at any length (spec 3.1)."""
        return cls._of((0.0, silence_s))

    @classmethod
    def shrinking(cls, silence_s: float) -> Self:
        """Return the rule of ``multi_threshold_mode_enabled``: the longer, the sooner (spec 3.1).

        The whole silence up to 5 s of utterance, 200 ms from 30 s on.
        """
        return cls._of((_SHRINK_FROM_S, silence_s), (_SHRINK_TO_S, LEAST_SILENCE_S))

    @classmethod
    def semantic(cls) -> Self:
        """Return the rule of ``semantic_punctuation_enabled`` for text without punctuation.

        A sentence counts as complete after 2 s and a pause of 0.8 s; before, only 2 s of silence
        end it (spec 3.1).
        """
        step = (_COMPLETE_AFTER_S, _SEMANTIC_SILENCE_S), (_COMPLETE_AFTER_S, _COMPLETE_SILENCE_S)
        return cls._of(*step)

    @classmethod
    def _of(cls, *points_s: tuple[float, float]) -> Self:
        """Return a rule of points in seconds, with the end that all rules share."""
        haste_s = _LONGEST_S - _HASTE_S
        every = (*points_s, (haste_s, points_s[-1][1]), (_LONGEST_S, 0.0))
        return cls(
            tuple(
                (round(length_s * SAMPLE_RATE), round(silence_s * SAMPLE_RATE))
                for length_s, silence_s in every
            )
        )

    def needed(self, length: int) -> int:
        """Return the silence that ends an utterance of this length, both in samples."""
        if length < self.points[0][0]:
            return self.points[0][1]
        for (left, silence), (right, next_silence) in pairwise(self.points):
            if length < right:
                return silence + (next_silence - silence) * (length - left) // (right - left)
        return self.points[-1][1]
