"""Where a connection and its tasks can be on the server's side, and what each signal does: tables.

A connection carries several tasks at once, told apart by their ids. Its own table says whether a
signal concerns a task at all; what then happens to the task stands in the table of tasks. Where a
connection is follows from where its tasks are.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct


class ConnectionState(StrEnum):
    """Where a connection is: a consequence of its tasks."""

    WAITING = "waiting"
    """No task yet."""
    STARTING = "starting"
    """A task was requested; the service must now start or fail it, before it reads on."""
    BUSY = "busy"
    """At least one task is under way."""
    IDLE = "idle"
    """All tasks are finished; another may follow."""
    CLOSED = "closed"
    """Nothing more is said."""


class TaskState(StrEnum):
    """Where a task is."""

    NEW = "new"
    """Not known: never run on this connection, or over for long."""
    STARTING = "starting"
    """Requested; the service must now start or fail it."""
    RUNNING = "running"
    """It takes audio, unless an older one does."""
    FINISHING = "finishing"
    """All its audio is in; results are on their way."""
    ENDED = "ended"
    """Finished or failed."""


class Signal(StrEnum):
    """What can happen: first what comes in, then what the service decides."""

    RUN_TASK = "run-task"
    CONTINUE_TASK = "continue-task"
    FINISH_TASK = "finish-task"
    AUDIO = "audio"
    INVALID = "an invalid message"
    EXPIRY = "the deadline"
    START = "start"
    RESULT = "result"
    FINISH = "finish"
    FAIL = "fail"


class Outcome(StrEnum):
    """What the machines do about a signal."""

    ROUTE = "route"
    """It concerns a task: the table of tasks decides."""
    TAKE = "take"
    """It is right: hand it to the other side."""
    IGNORE = "ignore"
    """It is harmless: official clients do it (spec 2.4)."""
    FAIL = "fail"
    """It breaks the protocol: ``task-failed``, then close (R4)."""
    CLOSE = "close"
    """The conversation is over: close without a word."""
    FORBID = "forbid"
    """The service's own mistake: `LocalProtocolError`."""


class Transition(Struct, frozen=True):
    """What a signal does to a task in a state, and the state that follows."""

    outcome: Outcome
    state: TaskState


def _connection(
    state: ConnectionState, **outcomes: Outcome
) -> dict[tuple[ConnectionState, Signal], Outcome]:
    return {(state, Signal[name]): outcome for name, outcome in outcomes.items()}


CONNECTION_OUTCOMES: Final[Mapping[tuple[ConnectionState, Signal], Outcome]] = {
    **_connection(
        ConnectionState.WAITING,
        RUN_TASK=Outcome.ROUTE,
        CONTINUE_TASK=Outcome.FAIL,
        FINISH_TASK=Outcome.FAIL,
        AUDIO=Outcome.FAIL,
        INVALID=Outcome.ROUTE,
        EXPIRY=Outcome.FAIL,
        START=Outcome.FORBID,
        RESULT=Outcome.FORBID,
        FINISH=Outcome.FORBID,
        FAIL=Outcome.ROUTE,
    ),
    **_connection(
        ConnectionState.STARTING,
        RUN_TASK=Outcome.FORBID,
        CONTINUE_TASK=Outcome.FORBID,
        FINISH_TASK=Outcome.FORBID,
        AUDIO=Outcome.FORBID,
        INVALID=Outcome.FORBID,
        EXPIRY=Outcome.IGNORE,
        START=Outcome.ROUTE,
        RESULT=Outcome.ROUTE,
        FINISH=Outcome.ROUTE,
        FAIL=Outcome.ROUTE,
    ),
    **_connection(
        ConnectionState.BUSY,
        RUN_TASK=Outcome.ROUTE,
        CONTINUE_TASK=Outcome.ROUTE,
        FINISH_TASK=Outcome.ROUTE,
        AUDIO=Outcome.ROUTE,
        INVALID=Outcome.ROUTE,
        EXPIRY=Outcome.ROUTE,
        START=Outcome.FORBID,
        RESULT=Outcome.ROUTE,
        FINISH=Outcome.ROUTE,
        FAIL=Outcome.ROUTE,
    ),
    **_connection(
        ConnectionState.IDLE,
        RUN_TASK=Outcome.ROUTE,
        CONTINUE_TASK=Outcome.IGNORE,
        FINISH_TASK=Outcome.IGNORE,
        AUDIO=Outcome.IGNORE,
        INVALID=Outcome.ROUTE,
        EXPIRY=Outcome.CLOSE,
        START=Outcome.FORBID,
        RESULT=Outcome.FORBID,
        FINISH=Outcome.FORBID,
        FAIL=Outcome.ROUTE,
    ),
    **_connection(
        ConnectionState.CLOSED,
        RUN_TASK=Outcome.IGNORE,
        CONTINUE_TASK=Outcome.IGNORE,
        FINISH_TASK=Outcome.IGNORE,
        AUDIO=Outcome.IGNORE,
        INVALID=Outcome.IGNORE,
        EXPIRY=Outcome.IGNORE,
        START=Outcome.FORBID,
        RESULT=Outcome.FORBID,
        FINISH=Outcome.FORBID,
        FAIL=Outcome.FORBID,
    ),
}
"""What every signal does to a connection in every state."""


def _task(
    state: TaskState, **outcomes: tuple[Outcome, TaskState]
) -> dict[tuple[TaskState, Signal], Transition]:
    return {(state, Signal[name]): Transition(*outcome) for name, outcome in outcomes.items()}


_FAIL: Final = (Outcome.FAIL, TaskState.ENDED)
_END: Final = (Outcome.TAKE, TaskState.ENDED)


TASK_TRANSITIONS: Final[Mapping[tuple[TaskState, Signal], Transition]] = {
    **_task(
        TaskState.NEW,
        RUN_TASK=(Outcome.TAKE, TaskState.STARTING),
        CONTINUE_TASK=(Outcome.IGNORE, TaskState.NEW),
        FINISH_TASK=(Outcome.IGNORE, TaskState.NEW),
        AUDIO=(Outcome.IGNORE, TaskState.NEW),
        INVALID=_FAIL,
        EXPIRY=(Outcome.IGNORE, TaskState.NEW),
        START=(Outcome.FORBID, TaskState.NEW),
        RESULT=(Outcome.FORBID, TaskState.NEW),
        FINISH=(Outcome.FORBID, TaskState.NEW),
        FAIL=_END,
    ),
    **_task(
        TaskState.STARTING,
        RUN_TASK=(Outcome.FORBID, TaskState.STARTING),
        CONTINUE_TASK=(Outcome.FORBID, TaskState.STARTING),
        FINISH_TASK=(Outcome.FORBID, TaskState.STARTING),
        AUDIO=(Outcome.FORBID, TaskState.STARTING),
        INVALID=(Outcome.FORBID, TaskState.STARTING),
        EXPIRY=(Outcome.IGNORE, TaskState.STARTING),
        START=(Outcome.TAKE, TaskState.RUNNING),
        RESULT=(Outcome.FORBID, TaskState.STARTING),
        FINISH=(Outcome.FORBID, TaskState.STARTING),
        FAIL=_END,
    ),
    **_task(
        TaskState.RUNNING,
        RUN_TASK=_FAIL,
        CONTINUE_TASK=(Outcome.TAKE, TaskState.RUNNING),
        FINISH_TASK=(Outcome.TAKE, TaskState.FINISHING),
        AUDIO=(Outcome.TAKE, TaskState.RUNNING),
        INVALID=_FAIL,
        EXPIRY=_FAIL,
        START=(Outcome.FORBID, TaskState.RUNNING),
        RESULT=(Outcome.TAKE, TaskState.RUNNING),
        FINISH=(Outcome.FORBID, TaskState.RUNNING),
        FAIL=_END,
    ),
    **_task(
        TaskState.FINISHING,
        RUN_TASK=_FAIL,
        CONTINUE_TASK=(Outcome.IGNORE, TaskState.FINISHING),
        FINISH_TASK=(Outcome.IGNORE, TaskState.FINISHING),
        AUDIO=(Outcome.IGNORE, TaskState.FINISHING),
        INVALID=_FAIL,
        EXPIRY=(Outcome.IGNORE, TaskState.FINISHING),
        START=(Outcome.FORBID, TaskState.FINISHING),
        RESULT=(Outcome.TAKE, TaskState.FINISHING),
        FINISH=_END,
        FAIL=_END,
    ),
    **_task(
        TaskState.ENDED,
        RUN_TASK=(Outcome.IGNORE, TaskState.ENDED),
        CONTINUE_TASK=(Outcome.IGNORE, TaskState.ENDED),
        FINISH_TASK=(Outcome.IGNORE, TaskState.ENDED),
        AUDIO=(Outcome.IGNORE, TaskState.ENDED),
        INVALID=(Outcome.IGNORE, TaskState.ENDED),
        EXPIRY=(Outcome.IGNORE, TaskState.ENDED),
        START=(Outcome.FORBID, TaskState.ENDED),
        RESULT=(Outcome.FORBID, TaskState.ENDED),
        FINISH=(Outcome.FORBID, TaskState.ENDED),
        FAIL=(Outcome.FORBID, TaskState.ENDED),
    ),
}
"""What every signal does to a task in every state."""
