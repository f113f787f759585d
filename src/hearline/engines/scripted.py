"""An engine that says what it is told, late and failing on cue: for tests, demos and load.

It recognises nothing. A script, given an utterance's audio so far, returns the line to say; the
engine plays it with its delay, or fails with it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np

from hearline.engines.base import Stream
from hearline.errors import EngineError
from hearline.speech import SAMPLE_RATE, Hints, Hypothesis, Samples, Word

_WORD_SAMPLES = SAMPLE_RATE // 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What to do about an utterance.

    Attributes:
        text: The words to have recognised in all of the audio so far, separated by spaces.
        delay_s: Seconds that the decode step takes.
        failure: If set, the step fails with this message.

    """

    text: str = ""
    delay_s: float = 0.0
    failure: str | None = None


Script: TypeAlias = Callable[[Samples], Line]
"""Takes an utterance's audio so far, shape ``(n,)``, and returns the line to say."""


def saying(text: str) -> Script:
    """Return a script that says `text`, a word more with every quarter second of audio."""
    words = text.split()

    def script(samples: Samples) -> Line:
        return Line(text=" ".join(words[: samples.size // _WORD_SAMPLES]))

    return script


class _ScriptedStream:
    """One utterance: gathers audio, holds the line said last."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._parts: list[Samples] = []
        self._pending = False
        self._finished = False
        self._text = ""

    @property
    def ready(self) -> bool:
        return self._pending

    @property
    def done(self) -> bool:
        return self._finished and not self._pending

    def accept(self, samples: Samples) -> None:
        self._parts.append(samples)
        self._pending = True

    def finish(self) -> None:
        self._finished = self._pending = True

    def rehearse(self) -> Line:
        """Ask the script for the line of the audio so far, without any effect."""
        return self._script(np.concatenate(self._parts) if self._parts else np.zeros(0, np.float32))

    def play(self, line: Line) -> None:
        """Take the line as said."""
        self._text, self._pending = line.text, False

    def hypothesis(self) -> Hypothesis:
        words = tuple(
            Word(text=text, begin=place * _WORD_SAMPLES, end=(place + 1) * _WORD_SAMPLES)
            for place, text in enumerate(self._text.split())
        )
        return Hypothesis(words=words, text=self._text)

    def close(self) -> None:
        self._parts.clear()


class Scripted:
    """An `Engine` that follows a script; it claims to know every language."""

    name = "scripted"
    languages: frozenset[str] = frozenset()

    def __init__(
        self,
        script: Script,
        *,
        parallelism: int = 1,
        batch_limit: int = 8,
        capacity: int | None = None,
        punctuates: bool = True,
    ) -> None:
        """Learn the script.

        Args:
            script: Asked at every decode step; called from decoder threads.
            parallelism: How many decoder threads to ask for.
            batch_limit: How many streams to take in one batch.
            capacity: How many sessions to take at once; None for any number.
            punctuates: Whether to claim that lines are said with their punctuation, so that they
                are reported as they are.

        """
        self._script = script
        self.parallelism = parallelism
        self.batch_limit = batch_limit
        self.capacity = capacity
        self.punctuates = punctuates

    def open(self, hints: Hints) -> Stream:  # noqa: ARG002 - the script needs no hints
        """Return a stream for a new utterance."""
        return _ScriptedStream(self._script)

    def decode(self, streams: Sequence[Stream]) -> None:
        """Play the lines of all streams; see `Engine.decode`."""
        own = cast("Sequence[_ScriptedStream]", streams)
        lines = [stream.rehearse() for stream in own]
        time.sleep(max(line.delay_s for line in lines))
        for line in lines:
            if line.failure is not None:
                raise EngineError(line.failure)
        for stream, line in zip(own, lines, strict=True):
            stream.play(line)

    def close(self) -> None:
        """Do nothing: it holds nothing."""
