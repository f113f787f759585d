"""Where a client's task can be, what can happen to it, and what each does in each: one table.

The server's answers are trusted as far as the table says and no further.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct


class State(StrEnum):
    """Where a task is."""

    NEW = "new"
    """Nothing is said yet."""
    STARTING = "starting"
    """``run-task`` is said; audio is held until the server has started the task (spec 2.1)."""
    HURRYING = "hurrying"
    """Like starting, and the caller has already said all there is."""
    RUNNING = "running"
    """Audio flows."""
    FINISHING = "finishing"
    """``finish-task`` is said; results are on their way."""
    FINISHED = "finished"
    """All results are in."""
    FAILED = "failed"
    """The task ended in an error."""


class Signal(StrEnum):
    """What can happen to a task: what the caller wants, what comes in, what goes wrong outside."""

    START = "start"
    AUDIO = "audio"
    CONTEXT = "context"
    FINISH = "finish"
    TASK_STARTED = "task-started"
    RESULT = "result-generated"
    TASK_FINISHED = "task-finished"
    TASK_FAILED = "task-failed"
    STRAY = "a message for nobody"
    MALFORMED = "a malformed message"
    INVALID = "no message at all"
    EXPIRY = "the deadline"
    LOSS = "the loss of the connection"


class Outcome(StrEnum):
    """What the machine does about a signal."""

    TAKE = "take"
    """It is right: do it, or hand it on."""
    HOLD = "hold"
    """It is right but early: keep it until the task has started."""
    SKIP = "skip"
    """It cannot be read, and the rest can: warn and go on."""
    IGNORE = "ignore"
    """It changes nothing: count it."""
    FAIL = "fail"
    """The task cannot go on."""
    FORBID = "forbid"
    """The caller's mistake: `InvalidState`."""


class Transition(Struct, frozen=True):
    """What a signal does in a state, and the state that follows."""

    outcome: Outcome
    state: State


def _row(state: State, **outcomes: tuple[Outcome, State]) -> dict[tuple[State, Signal], Transition]:
    return {(state, Signal[name]): Transition(*outcome) for name, outcome in outcomes.items()}


_FAIL: Final = (Outcome.FAIL, State.FAILED)


TRANSITIONS: Final[Mapping[tuple[State, Signal], Transition]] = {
    **_row(
        State.NEW,
        START=(Outcome.TAKE, State.STARTING),
        AUDIO=(Outcome.FORBID, State.NEW),
        CONTEXT=(Outcome.FORBID, State.NEW),
        FINISH=(Outcome.FORBID, State.NEW),
        TASK_STARTED=(Outcome.IGNORE, State.NEW),
        RESULT=(Outcome.IGNORE, State.NEW),
        TASK_FINISHED=(Outcome.IGNORE, State.NEW),
        TASK_FAILED=_FAIL,
        STRAY=(Outcome.IGNORE, State.NEW),
        MALFORMED=(Outcome.SKIP, State.NEW),
        INVALID=_FAIL,
        EXPIRY=_FAIL,
        LOSS=_FAIL,
    ),
    **_row(
        State.STARTING,
        START=(Outcome.FORBID, State.STARTING),
        AUDIO=(Outcome.HOLD, State.STARTING),
        CONTEXT=(Outcome.HOLD, State.STARTING),
        FINISH=(Outcome.HOLD, State.HURRYING),
        TASK_STARTED=(Outcome.TAKE, State.RUNNING),
        RESULT=(Outcome.IGNORE, State.STARTING),
        TASK_FINISHED=_FAIL,
        TASK_FAILED=_FAIL,
        STRAY=(Outcome.IGNORE, State.STARTING),
        MALFORMED=(Outcome.SKIP, State.STARTING),
        INVALID=_FAIL,
        EXPIRY=_FAIL,
        LOSS=_FAIL,
    ),
    **_row(
        State.HURRYING,
        START=(Outcome.FORBID, State.HURRYING),
        AUDIO=(Outcome.FORBID, State.HURRYING),
        CONTEXT=(Outcome.FORBID, State.HURRYING),
        FINISH=(Outcome.FORBID, State.HURRYING),
        TASK_STARTED=(Outcome.TAKE, State.FINISHING),
        RESULT=(Outcome.IGNORE, State.HURRYING),
        TASK_FINISHED=_FAIL,
        TASK_FAILED=_FAIL,
        STRAY=(Outcome.IGNORE, State.HURRYING),
        MALFORMED=(Outcome.SKIP, State.HURRYING),
        INVALID=_FAIL,
        EXPIRY=_FAIL,
        LOSS=_FAIL,
    ),
    **_row(
        State.RUNNING,
        START=(Outcome.FORBID, State.RUNNING),
        AUDIO=(Outcome.TAKE, State.RUNNING),
        CONTEXT=(Outcome.TAKE, State.RUNNING),
        FINISH=(Outcome.TAKE, State.FINISHING),
        TASK_STARTED=(Outcome.IGNORE, State.RUNNING),
        RESULT=(Outcome.TAKE, State.RUNNING),
        TASK_FINISHED=_FAIL,
        TASK_FAILED=_FAIL,
        STRAY=(Outcome.IGNORE, State.RUNNING),
        MALFORMED=(Outcome.SKIP, State.RUNNING),
        INVALID=_FAIL,
        # A silent caller is told goodbye, not an error: that is what users know (spec 5.3).
        EXPIRY=(Outcome.TAKE, State.FINISHING),
        LOSS=_FAIL,
    ),
    **_row(
        State.FINISHING,
        START=(Outcome.FORBID, State.FINISHING),
        AUDIO=(Outcome.FORBID, State.FINISHING),
        CONTEXT=(Outcome.FORBID, State.FINISHING),
        FINISH=(Outcome.FORBID, State.FINISHING),
        TASK_STARTED=(Outcome.IGNORE, State.FINISHING),
        RESULT=(Outcome.TAKE, State.FINISHING),
        TASK_FINISHED=(Outcome.TAKE, State.FINISHED),
        TASK_FAILED=_FAIL,
        STRAY=(Outcome.IGNORE, State.FINISHING),
        MALFORMED=(Outcome.SKIP, State.FINISHING),
        INVALID=_FAIL,
        EXPIRY=_FAIL,
        LOSS=_FAIL,
    ),
    **{
        pair: transition
        for end in (State.FINISHED, State.FAILED)
        for pair, transition in _row(
            end,
            START=(Outcome.FORBID, end),
            AUDIO=(Outcome.FORBID, end),
            CONTEXT=(Outcome.FORBID, end),
            FINISH=(Outcome.FORBID, end),
            TASK_STARTED=(Outcome.IGNORE, end),
            RESULT=(Outcome.IGNORE, end),
            TASK_FINISHED=(Outcome.IGNORE, end),
            TASK_FAILED=(Outcome.IGNORE, end),
            STRAY=(Outcome.IGNORE, end),
            MALFORMED=(Outcome.IGNORE, end),
            INVALID=(Outcome.IGNORE, end),
            EXPIRY=(Outcome.IGNORE, end),
            LOSS=(Outcome.IGNORE, end),
        ).items()
    },
}
"""What every signal does in every state."""
