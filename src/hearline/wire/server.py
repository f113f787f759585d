"""The server's side of a connection as a machine without input, output or clock.

What came in is told to it (`ServerConnection.receive_text`, `receive_audio`, `expire`), what the
service decides is told to it (`start`, `result`, `finish`, `fail`); it answers with events for the
service and with messages to write. Which of these fits when stands in two tables, one for the
connection and one for each of its tasks: `hearline.wire.server_states`.
"""

from typing import TypeAlias

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
    ServerMessage,
    Usage,
)
from hearline.wire.server_states import (
    CONNECTION_OUTCOMES,
    TASK_TRANSITIONS,
    ConnectionState,
    Outcome,
    Signal,
    TaskState,
)


class Deadlines(Struct, frozen=True, kw_only=True):
    """How long the server waits for its client, in seconds (spec 2.3)."""

    first_task_s: float = 10.0
    """From the handshake to the first ``run-task``."""
    next_task_s: float = 60.0
    """From the end of the last task to the next ``run-task``."""
    data_s: float = 23.0
    """From one message to the next while a task takes audio."""


class TaskRequested(Struct, frozen=True):
    """A client asks for a task; the service answers with `start` or `fail`."""

    task: RunTask


class AudioReceived(Struct, frozen=True):
    """A packet of a task."""

    task_id: str
    data: bytes


class ContextReceived(Struct, frozen=True):
    """New context for the audio that follows in a task."""

    task_id: str
    input: Json


class FinishRequested(Struct, frozen=True):
    """No more audio will come; the service answers with `finish` after the last result."""

    task_id: str


ServerEvent: TypeAlias = TaskRequested | AudioReceived | ContextReceived | FinishRequested


class Close(Struct, frozen=True):
    """The order to close the WebSocket.

    Attributes:
        code: Close code (RFC 6455, section 7.4).
        reason: At most 123 bytes of UTF-8, the RFC's limit.

    """

    code: int = 1000
    reason: str = ""


class ServerTask:
    """One task, from ``run-task`` to its end.

    Args:
        task_id: Its name, or None for the nameless one that a message without a name is about.

    """

    def __init__(self, task_id: str | None) -> None:
        self.task_id = task_id
        self._state = TaskState.NEW

    @property
    def state(self) -> TaskState:
        """Where the task is."""
        return self._state

    def apply(self, signal: Signal) -> Outcome:
        """Move by the table and return what is to be done.

        Raises:
            LocalProtocolError: The service may not do this now.

        """
        transition = TASK_TRANSITIONS[self._state, signal]
        if transition.outcome is Outcome.FORBID:
            raise LocalProtocolError(f"{signal} while the task is {self._state}")
        self._state = transition.state
        return transition.outcome


class ServerConnection:
    """One connection: several tasks, in turn or at once, told apart by their ids (spec 2.3).

    Packets name no task. They belong to the oldest task that has not been asked to finish: the
    official client lets no other send until that one is over.
    """

    def __init__(self, deadlines: Deadlines | None = None) -> None:
        self._deadlines = deadlines or Deadlines()
        self._tasks: dict[str | None, ServerTask] = {}
        """Those under way, the oldest first."""
        self._used = False
        self._closed = False
        self._output: list[str | Close] = []

    @property
    def state(self) -> ConnectionState:
        """Where the conversation is."""
        if self._closed:
            return ConnectionState.CLOSED
        if not self._tasks:
            return ConnectionState.IDLE if self._used else ConnectionState.WAITING
        if self._first(TaskState.STARTING):
            return ConnectionState.STARTING
        return ConnectionState.BUSY

    @property
    def patience_s(self) -> float | None:
        """How long to wait for the client's next message before `expire`; None for ever.

        While the service still owes a task its end, the client may have to wait for it before it
        can send the audio of the next.
        """
        match self.state:
            case ConnectionState.WAITING:
                return self._deadlines.first_task_s
            case ConnectionState.BUSY if not self._first(TaskState.FINISHING):
                return self._deadlines.data_s
            case ConnectionState.IDLE:
                return self._deadlines.next_task_s
            case _:
                return None

    def task_state(self, task_id: str) -> TaskState:
        """Return where a task is; new if it is not under way."""
        return self._find(task_id).state

    def take_output(self) -> list[str | Close]:
        """Return the messages to write now, in order, and forget them."""
        output, self._output = self._output, []
        return output

    def receive_text(self, text: str) -> ServerEvent | None:
        """Take a text message and return what it means to the service, if anything."""
        try:
            message = messages.decode_client(text)
        except (ProtocolError, UsageError) as error:
            task_id = messages.task_id_of(text)
            task = self._front() if task_id is None else self._find(task_id)
            self._apply(Signal.INVALID, task, error)
            return None
        return self._take(message)

    def receive_audio(self, data: bytes) -> AudioReceived | None:
        """Take a binary message and return it as audio where audio is due."""
        task = self._front()
        error = RemoteProtocolError("Audio came before run-task.")
        if self._apply(Signal.AUDIO, task, error) and task.task_id is not None:
            return AudioReceived(task.task_id, data)
        return None

    def expire(self) -> None:
        """Take note that the client has been silent for `patience_s`."""
        seconds = self.patience_s or 0.0
        error = ClientTimeout(f"request timeout after {seconds:g} seconds.")
        self._apply(Signal.EXPIRY, self._first(TaskState.FINISHING) or self._front(), error)

    def start(self, task_id: str) -> None:
        """Say that the requested task runs."""
        self._apply(Signal.START, self._find(task_id))
        self._say(messages.TaskStarted(task_id=task_id))

    def result(self, task_id: str, sentence: Sentence, usage: Usage | None) -> None:
        """Say a sentence; `usage` goes with finals only (spec 4)."""
        self._apply(Signal.RESULT, self._find(task_id))
        self._say(messages.ResultGenerated(task_id=task_id, sentence=sentence, usage=usage))

    def finish(self, task_id: str) -> None:
        """Say that the last result is out."""
        self._apply(Signal.FINISH, self._find(task_id))
        self._say(messages.TaskFinished(task_id=task_id))

    def fail(self, task_id: str, error: HearlineError) -> None:
        """Say that a task failed, and close, which ends the other tasks too."""
        task = self._find(task_id)
        self._apply(Signal.FAIL, task)
        self._end(task, error)

    def _take(self, message: ClientMessage) -> ServerEvent | None:
        task = self._find(message.task_id)
        match message:
            case RunTask():
                error = RemoteProtocolError("This task is running: finish it before the next.")
                if self._apply(Signal.RUN_TASK, task, error):
                    self._tasks[task.task_id] = task
                    self._used = True
                    return TaskRequested(message)
            case ContinueTask():
                if self._apply(Signal.CONTINUE_TASK, task, _no_task(message)):
                    return ContextReceived(message.task_id, message.input)
            case FinishTask():
                if self._apply(Signal.FINISH_TASK, task, _no_task(message)):
                    return FinishRequested(message.task_id)
        return None

    def _apply(self, signal: Signal, task: ServerTask, error: HearlineError | None = None) -> bool:
        """Move by the tables and return whether the signal is to be taken.

        Args:
            signal: What happened.
            task: The task that it is about.
            error: What to tell the client if this breaks the protocol.

        Raises:
            LocalProtocolError: The service may not do this now.

        """
        outcome = CONNECTION_OUTCOMES[self.state, signal]
        if outcome is Outcome.FORBID:
            raise LocalProtocolError(f"{signal} while the connection is {self.state}")
        if outcome is Outcome.ROUTE:
            outcome = task.apply(signal)
        if task.state is TaskState.ENDED:
            self._tasks.pop(task.task_id, None)
        if outcome is Outcome.FAIL:
            self._end(task, error or RemoteProtocolError(f"Unexpected: {signal}."))
        elif outcome is Outcome.CLOSE:
            self._close(Close(1000, "no further task"))
        return outcome is Outcome.TAKE

    def _find(self, task_id: str | None) -> ServerTask:
        """Return the task under way by this name, or else a new one."""
        return self._tasks.get(task_id) or ServerTask(task_id)

    def _front(self) -> ServerTask:
        """Return the task that what names none is about: the oldest that takes audio, if any."""
        oldest = next(iter(self._tasks.values()), None)
        return self._first(TaskState.RUNNING) or oldest or ServerTask(None)

    def _first(self, state: TaskState) -> ServerTask | None:
        """Return the oldest task that is there, if any."""
        return next((task for task in self._tasks.values() if task.state is state), None)

    def _say(self, message: ServerMessage) -> None:
        self._output.append(messages.encode_server(message))

    def _end(self, culprit: ServerTask, error: HearlineError) -> None:
        """Say that a task failed, tell the other tasks that this ends them too, and close."""
        code = error.reported_code
        text = error.message or code
        self._say_failure(culprit.task_id, code, text)
        for task_id in self._tasks:
            self._say_failure(task_id, code, f"Another task of this connection failed: {text}")
        self._close(Close(_close_code(error), code))

    def _say_failure(self, task_id: str | None, code: str, text: str) -> None:
        self._say(messages.TaskFailed(task_id=task_id, error_code=code, error_message=text))

    def _close(self, close: Close) -> None:
        self._closed = True
        self._tasks.clear()
        self._output.append(close)


def _no_task(message: ContinueTask | FinishTask) -> RemoteProtocolError:
    return RemoteProtocolError(f"No task {message.task_id[:64]} is running: send run-task first.")


def _close_code(error: HearlineError) -> int:
    """Return 1013 (try again later), 1008 (the client's fault) or 1011 (the server's)."""
    if error.retryable:
        return 1013
    return 1008 if error.http_status < 500 else 1011  # noqa: PLR2004 - HTTP's own border
