"""The server's side of a connection as a machine without input, output or clock.

What came in is told to it (`ServerConnection.receive_text`, `receive_audio`, `expire`), what the
service decides is told to it (`start`, `result`, `finish`, `fail`); it answers with events for the
service and with messages to write. Which of these fits when stands in one table, `TRANSITIONS`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from msgspec import Struct

from hearline.errors import (
    ClientTimeout,
    HearlineError,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    UsageError,
)
from hearline.wire import messages
from hearline.wire.messages import (
    ClientMessage,
    ContinueTask,
    FinishTask,
    Json,
    RunTask,
    Sentence,
    Usage,
)


class State(StrEnum):
    """Where a connection is in its conversation."""

    WAITING = "waiting"
    """No task yet."""
    STARTING = "starting"
    """A task was requested; the service must now start or fail it, before it reads on."""
    RUNNING = "running"
    """A task takes audio."""
    FINISHING = "finishing"
    """All audio is in; results are on their way."""
    IDLE = "idle"
    """A task is finished; another may follow."""
    CLOSED = "closed"
    """Nothing more is said."""


class Signal(StrEnum):
    """What can happen to a connection: first what comes in, then what the service decides."""

    RUN_TASK = "run-task"
    CONTINUE_TASK = "continue-task"
    FINISH_TASK = "finish-task"
    STRAY = "a message for another task"
    AUDIO = "audio"
    INVALID = "an invalid message"
    EXPIRY = "the deadline"
    START = "start"
    RESULT = "result"
    FINISH = "finish"
    FAIL = "fail"


class Outcome(StrEnum):
    """What the machine does about a signal."""

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
    """What a signal does in a state, and the state that follows."""

    outcome: Outcome
    state: State


def _row(state: State, **outcomes: tuple[Outcome, State]) -> dict[tuple[State, Signal], Transition]:
    return {(state, Signal[name]): Transition(*outcome) for name, outcome in outcomes.items()}


_FAIL: Final = (Outcome.FAIL, State.CLOSED)
_END: Final = (Outcome.TAKE, State.CLOSED)


TRANSITIONS: Final[Mapping[tuple[State, Signal], Transition]] = {
    **_row(
        State.WAITING,
        RUN_TASK=(Outcome.TAKE, State.STARTING),
        CONTINUE_TASK=_FAIL,
        FINISH_TASK=_FAIL,
        STRAY=_FAIL,
        AUDIO=_FAIL,
        INVALID=_FAIL,
        EXPIRY=_FAIL,
        START=(Outcome.FORBID, State.WAITING),
        RESULT=(Outcome.FORBID, State.WAITING),
        FINISH=(Outcome.FORBID, State.WAITING),
        FAIL=_END,
    ),
    **_row(
        State.STARTING,
        RUN_TASK=(Outcome.FORBID, State.STARTING),
        CONTINUE_TASK=(Outcome.FORBID, State.STARTING),
        FINISH_TASK=(Outcome.FORBID, State.STARTING),
        STRAY=(Outcome.FORBID, State.STARTING),
        AUDIO=(Outcome.FORBID, State.STARTING),
        INVALID=(Outcome.FORBID, State.STARTING),
        EXPIRY=(Outcome.IGNORE, State.STARTING),
        START=(Outcome.TAKE, State.RUNNING),
        RESULT=(Outcome.FORBID, State.STARTING),
        FINISH=(Outcome.FORBID, State.STARTING),
        FAIL=_END,
    ),
    **_row(
        State.RUNNING,
        RUN_TASK=_FAIL,
        CONTINUE_TASK=(Outcome.TAKE, State.RUNNING),
        FINISH_TASK=(Outcome.TAKE, State.FINISHING),
        STRAY=(Outcome.IGNORE, State.RUNNING),
        AUDIO=(Outcome.TAKE, State.RUNNING),
        INVALID=_FAIL,
        EXPIRY=_FAIL,
        START=(Outcome.FORBID, State.RUNNING),
        RESULT=(Outcome.TAKE, State.RUNNING),
        FINISH=(Outcome.FORBID, State.RUNNING),
        FAIL=_END,
    ),
    **_row(
        State.FINISHING,
        RUN_TASK=_FAIL,
        CONTINUE_TASK=(Outcome.IGNORE, State.FINISHING),
        FINISH_TASK=(Outcome.IGNORE, State.FINISHING),
        STRAY=(Outcome.IGNORE, State.FINISHING),
        AUDIO=(Outcome.IGNORE, State.FINISHING),
        INVALID=_FAIL,
        EXPIRY=(Outcome.IGNORE, State.FINISHING),
        START=(Outcome.FORBID, State.FINISHING),
        RESULT=(Outcome.TAKE, State.FINISHING),
        FINISH=(Outcome.TAKE, State.IDLE),
        FAIL=_END,
    ),
    **_row(
        State.IDLE,
        RUN_TASK=(Outcome.TAKE, State.STARTING),
        CONTINUE_TASK=(Outcome.IGNORE, State.IDLE),
        FINISH_TASK=(Outcome.IGNORE, State.IDLE),
        STRAY=(Outcome.IGNORE, State.IDLE),
        AUDIO=(Outcome.IGNORE, State.IDLE),
        INVALID=_FAIL,
        EXPIRY=(Outcome.CLOSE, State.CLOSED),
        START=(Outcome.FORBID, State.IDLE),
        RESULT=(Outcome.FORBID, State.IDLE),
        FINISH=(Outcome.FORBID, State.IDLE),
        FAIL=_END,
    ),
    **_row(
        State.CLOSED,
        RUN_TASK=(Outcome.IGNORE, State.CLOSED),
        CONTINUE_TASK=(Outcome.IGNORE, State.CLOSED),
        FINISH_TASK=(Outcome.IGNORE, State.CLOSED),
        STRAY=(Outcome.IGNORE, State.CLOSED),
        AUDIO=(Outcome.IGNORE, State.CLOSED),
        INVALID=(Outcome.IGNORE, State.CLOSED),
        EXPIRY=(Outcome.IGNORE, State.CLOSED),
        START=(Outcome.FORBID, State.CLOSED),
        RESULT=(Outcome.FORBID, State.CLOSED),
        FINISH=(Outcome.FORBID, State.CLOSED),
        FAIL=(Outcome.FORBID, State.CLOSED),
    ),
}
"""What every signal does in every state."""


class Deadlines(Struct, frozen=True, kw_only=True):
    """How long the server waits for its client, in seconds (spec 2.3)."""

    first_task_s: float = 10.0
    """From the handshake to the first ``run-task``."""
    next_task_s: float = 60.0
    """From the end of a task to the next ``run-task``."""
    data_s: float = 23.0
    """From one message to the next while a task takes audio."""


class TaskRequested(Struct, frozen=True):
    """A client asks for a task; the service answers with `start` or `fail`."""

    task: RunTask


class AudioReceived(Struct, frozen=True):
    """A packet of the running task."""

    data: bytes


class ContextReceived(Struct, frozen=True):
    """New context for the audio that follows."""

    input: Json


class FinishRequested(Struct, frozen=True):
    """No more audio will come; the service answers with `finish` after the last result."""


ServerEvent: TypeAlias = TaskRequested | AudioReceived | ContextReceived | FinishRequested


class Close(Struct, frozen=True):
    """The order to close the WebSocket.

    Attributes:
        code: Close code (RFC 6455, section 7.4).
        reason: At most 123 bytes of UTF-8, the RFC's limit.

    """

    code: int = 1000
    reason: str = ""


class ServerConnection:
    """One connection: several tasks in turn, each from ``run-task`` to its end."""

    def __init__(self, deadlines: Deadlines | None = None) -> None:
        self._deadlines = deadlines or Deadlines()
        self._state = State.WAITING
        self._task_id: str | None = None
        self._output: list[str | Close] = []

    @property
    def state(self) -> State:
        """Where the conversation is."""
        return self._state

    @property
    def task_id(self) -> str | None:
        """Id of the task that runs or ran last."""
        return self._task_id

    @property
    def patience_s(self) -> float | None:
        """How long to wait for the client's next message before `expire`; None for ever."""
        match self._state:
            case State.WAITING:
                return self._deadlines.first_task_s
            case State.RUNNING:
                return self._deadlines.data_s
            case State.IDLE:
                return self._deadlines.next_task_s
            case _:
                return None

    def take_output(self) -> list[str | Close]:
        """Return the messages to write now, in order, and forget them."""
        output, self._output = self._output, []
        return output

    def receive_text(self, text: str) -> ServerEvent | None:
        """Take a text message and return what it means to the service, if anything."""
        try:
            message = messages.decode_client(text)
        except (ProtocolError, UsageError) as error:
            if self._state in (State.WAITING, State.IDLE):
                self._task_id = messages.task_id_of(text)
            self._apply(Signal.INVALID, error)
            return None
        if self._state is State.WAITING:
            self._task_id = message.task_id
        if self._task_id != message.task_id and not isinstance(message, RunTask):
            self._apply(Signal.STRAY, _no_task(message))
            return None
        return self._take(message)

    def receive_audio(self, data: bytes) -> AudioReceived | None:
        """Take a binary message and return it as audio where audio is due."""
        if self._apply(Signal.AUDIO, RemoteProtocolError("Audio came before run-task.")):
            return AudioReceived(data)
        return None

    def expire(self) -> None:
        """Take note that the client has been silent for `patience_s`."""
        seconds = self.patience_s or 0.0
        self._apply(Signal.EXPIRY, ClientTimeout(f"request timeout after {seconds:g} seconds."))

    def start(self) -> None:
        """Say that the requested task runs."""
        self._apply(Signal.START)
        self._output.append(messages.encode_server(messages.TaskStarted(task_id=self._task_id)))

    def result(self, sentence: Sentence, usage: Usage | None) -> None:
        """Say a sentence; `usage` goes with finals only (spec 4)."""
        self._apply(Signal.RESULT)
        message = messages.ResultGenerated(task_id=self._task_id, sentence=sentence, usage=usage)
        self._output.append(messages.encode_server(message))

    def finish(self) -> None:
        """Say that the last result is out."""
        self._apply(Signal.FINISH)
        self._output.append(messages.encode_server(messages.TaskFinished(task_id=self._task_id)))

    def fail(self, error: HearlineError) -> None:
        """Say that the task failed, and close."""
        self._apply(Signal.FAIL)
        self._say_failure(error)

    def _take(self, message: ClientMessage) -> ServerEvent | None:
        match message:
            case RunTask():
                error = RemoteProtocolError("A task is running: finish it before the next.")
                if self._apply(Signal.RUN_TASK, error):
                    self._task_id = message.task_id
                    return TaskRequested(message)
            case ContinueTask():
                if self._apply(Signal.CONTINUE_TASK, _no_task(message)):
                    return ContextReceived(message.input)
            case FinishTask():
                if self._apply(Signal.FINISH_TASK, _no_task(message)):
                    return FinishRequested()
        return None

    def _apply(self, signal: Signal, error: HearlineError | None = None) -> bool:
        """Move by the table and return whether the signal is to be taken.

        Args:
            signal: What happened.
            error: What to tell the client if this breaks the protocol.

        Raises:
            LocalProtocolError: The service may not do this now.

        """
        transition = TRANSITIONS[self._state, signal]
        if transition.outcome is Outcome.FORBID:
            raise LocalProtocolError(f"{signal} while {self._state}")
        self._state = transition.state
        if transition.outcome is Outcome.FAIL:
            self._say_failure(error or RemoteProtocolError(f"Unexpected: {signal}."))
        elif transition.outcome is Outcome.CLOSE:
            self._output.append(Close(1000, "no further task"))
        return transition.outcome is Outcome.TAKE

    def _say_failure(self, error: HearlineError) -> None:
        code = error.reported_code
        failure = messages.TaskFailed(
            task_id=self._task_id, error_code=code, error_message=error.message or code
        )
        self._output.append(messages.encode_server(failure))
        self._output.append(Close(_close_code(error), code))


def _no_task(message: ContinueTask | FinishTask) -> RemoteProtocolError:
    return RemoteProtocolError(f"No task {message.task_id[:64]} is running: send run-task first.")


def _close_code(error: HearlineError) -> int:
    """Return 1013 (try again later), 1008 (the client's fault) or 1011 (the server's)."""
    if error.retryable:
        return 1013
    return 1008 if error.http_status < 500 else 1011  # noqa: PLR2004 - HTTP's own border
