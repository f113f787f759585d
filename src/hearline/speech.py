"""The words of the field as types: what flows between audio, detector, engine and session.

Knows samples, never milliseconds: time here is a sample index at `SAMPLE_RATE`, counted from the
task's first sample unless a docstring says otherwise, and every interval is half open.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

SAMPLE_RATE: Final = 16_000
"""Samples per second of all decoded audio."""

Samples: TypeAlias = npt.NDArray[np.float32]
"""Decoded mono audio of shape ``(n,)`` at `SAMPLE_RATE`, in ``[-1, 1]``."""


class EndpointReason(StrEnum):
    """Why an utterance was over."""

    SILENCE = "silence"
    LENGTH = "length"
    CLIENT = "client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A recognised word and its place.

    Attributes:
        text: The word. In an engine's hypothesis as it stands in the text, without surrounding
            space; in a transcript with the space that follows it, if no punctuation does.
        begin: Index of its first sample.
        end: Index after its last sample.
        confidence: Posterior probability in ``[0, 1]``, or None where the engine gives none.
        punctuation: In a transcript, the punctuation that follows the word, with its space: texts
            and punctuation of all words make up the text exactly. Engines leave it empty.

    """

    text: str
    begin: int
    end: int
    confidence: float | None = None
    punctuation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """The best words of one utterance so far, as an engine gives them or a transcript has them.

    Attributes:
        words: In order of time; indices count from the stream's first sample.
        text: The words as they are written together in their language.

    """

    words: tuple[Word, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """One utterance as a session reports it: partial until the endpoint, then final.

    Attributes:
        utterance: Number of the utterance in its session, from 1.
        begin: Index of the first sample of speech.
        end: Index after the last sample of speech; None while partial.
        hypothesis: Words as they are to be read, with indices from the task's first sample.
        first: Whether this is the first report of the utterance.
        reason: Why the utterance ended; None while partial.

    """

    utterance: int
    begin: int
    end: int | None
    hypothesis: Hypothesis
    first: bool
    reason: EndpointReason | None = None

    @property
    def final(self) -> bool:
        """Whether the words will not change any more."""
        return self.end is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One exchange before the speech to come.

    Attributes:
        user: What was recognised then, or words of the field.
        assistant: What was answered, ``""`` if nothing was.

    """

    user: str
    assistant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a session tells its engine about the speech to come.

    Attributes:
        language: Code of the language to expect, such as ``"zh"``; None if not known.
        context: What was said before, the oldest first; an engine may make no use of it.

    """

    language: str | None = None
    context: tuple[Turn, ...] = ()
