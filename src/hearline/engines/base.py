"""The contract between the scheduler and every recogniser.

The smallest complete one for streaming in batches: streams take audio, one `Engine.decode` call
advances many of them, each stream tells its hypothesis. It knows no session and no wire.
"""

from collections.abc import Sequence
from typing import Protocol

from hearline.speech import Hints, Hypothesis, Samples


class Stream(Protocol):
    """One utterance on its way through an engine.

    Used by one thread at a time. After `finish` and the decode steps that follow, its hypothesis
    is final and `done` is true.
    """

    @property
    def ready(self) -> bool:
        """Whether a decode step has something to do."""
        ...

    @property
    def done(self) -> bool:
        """Whether it was finished and all its audio is decoded."""
        ...

    def accept(self, samples: Samples) -> None:
        """Append audio.

        Args:
            samples: Shape ``(n,)``; the stream may keep a reference, so it must not be changed.

        """
        ...

    def finish(self) -> None:
        """Declare that no more audio will come."""
        ...

    def hypothesis(self) -> Hypothesis:
        """Return the best words so far, with indices from the stream's first sample."""
        ...

    def close(self) -> None:
        """Release what the stream holds; allowed at any time, once."""
        ...


class Engine(Protocol):
    """A recogniser that advances many streams in one call.

    `decode` and `open` may be called from several threads at once, never twice at once with the
    same stream.
    """

    @property
    def name(self) -> str:
        """The name under which it was registered."""
        ...

    @property
    def languages(self) -> frozenset[str]:
        """Codes of the languages it knows; empty if it knows any."""
        ...

    @property
    def punctuates(self) -> bool:
        """Whether its texts have punctuation and case of their own, which are then left alone."""
        ...

    @property
    def parallelism(self) -> int:
        """How many threads may usefully be in `decode` at once."""
        ...

    @property
    def batch_limit(self) -> int:
        """How many streams one `decode` call may take."""
        ...

    @property
    def capacity(self) -> int | None:
        """How many sessions it can follow at once; None if that depends on their load alone."""
        ...

    def open(self, hints: Hints) -> Stream:
        """Return a stream for a new utterance."""
        ...

    def decode(self, streams: Sequence[Stream]) -> None:
        """Advance every stream by one step.

        All or nothing: if it raises, no stream of the batch may be presumed advanced, and the
        caller decodes them one by one to find those at fault.

        Args:
            streams: Ready streams that this engine opened, at most `batch_limit`.

        Raises:
            EngineError: The recogniser failed on one of them.

        """
        ...

    def close(self) -> None:
        """Release everything; a `decode` under way may raise `EngineError`, later ones will."""
        ...
