"""The client's side of one task as a machine without input, output, clock or thread.

The shell tells it what the caller wants (`ClientTask.start`, `send_audio`, `update_context`,
`finish`), what came in (`receive`) and what went wrong outside (`expire`, `lose`); it answers with
messages to write and events for the caller. Which of these fits when stands in one table,
`hearline.wire.client_states.TRANSITIONS`. It trusts no server: what it cannot use it counts, skips
or ends the task over.
"""

from collections.abc import Iterator
from typing import Final, TypeAlias

from msgspec import Struct

from hearline.errors import (
    EarlyFinish,
    HearlineError,
    InvalidReply,
    InvalidState,
    LocalProtocolError,
    MalformedMessage,
    RemoteProtocolError,
    TaskFailed,
    TransportTimeout,
)
from hearline.wire import messages
from hearline.wire.client_states import TRANSITIONS, Outcome, Signal, State
from hearline.wire.messages import (
    ContinueTask,
    FinishTask,
    Json,
    ResultGenerated,
    RunTask,
    TaskFinished,
    TaskStarted,
    UnknownEvent,
)

MAX_PACKET_BYTES: Final = 64 * 1024
"""The largest packet sent; longer audio goes as several."""


class Deadlines(Struct, frozen=True, kw_only=True):
    """How long a client waits, in seconds."""

    connect_s: float = 10.0
    """For a connection, handshake included."""
    progress_s: float = 15.0
    """From one sign of progress to the next, while the server owes an answer."""
    silence_s: float = 23.0
    """From one packet to the next, before the task is finished as it is (spec 5.3)."""
    ping_s: float = 5.0
    """Between pings, which keep the way open."""
    close_s: float = 2.0
    """For the answer to a close."""


class Skipped(Struct, frozen=True):
    """A message could not be read and was left out."""

    reason: str


class Failed(Struct, frozen=True):
    """The task ended in an error; nothing follows."""

    error: HearlineError


ClientEvent: TypeAlias = TaskStarted | ResultGenerated | TaskFinished | Skipped | Failed


def split_packets(data: bytes) -> Iterator[bytes]:
    """Cut audio into packets of at most `MAX_PACKET_BYTES`; no audio is no packet."""
    for begin in range(0, len(data), MAX_PACKET_BYTES):
        yield data[begin : begin + MAX_PACKET_BYTES]


class ClientTask:
    """One task, from ``run-task`` to its end.

    Args:
        task: What to ask for.
        deadlines: How long to wait, and for what.
        room_bytes: How much audio may wait here, for the task to start or to be written.

    """

    def __init__(
        self,
        task: RunTask,
        deadlines: Deadlines | None = None,
        *,
        room_bytes: int = 4 * 1024 * 1024,
    ) -> None:
        self._task = task
        self._deadlines = deadlines or Deadlines()
        self._room_bytes = room_bytes
        self._waiting_bytes = 0
        self._held: list[str | bytes] = []
        self._output: list[str | bytes] = []
        self._state = State.NEW
        self._progress = 0
        self._ignored = 0

    @property
    def task_id(self) -> str:
        """The id of the task."""
        return self._task.task_id

    @property
    def state(self) -> State:
        """Where the task is."""
        return self._state

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self._state in (State.FINISHED, State.FAILED)

    @property
    def ignored(self) -> int:
        """How many messages changed nothing."""
        return self._ignored

    @property
    def patience_s(self) -> float | None:
        """How long to wait since the last `progress` before `expire`; None for ever."""
        match self._state:
            case State.STARTING | State.HURRYING | State.FINISHING:
                return self._deadlines.progress_s
            case State.RUNNING:
                return self._deadlines.silence_s
            case State.NEW | State.FINISHED | State.FAILED:
                return None

    @property
    def progress(self) -> int:
        """A number that changes whenever `patience_s` begins anew."""
        return self._progress

    @property
    def has_output(self) -> bool:
        """Whether there are messages to write now."""
        return bool(self._output)

    def has_room(self, size_bytes: int) -> bool:
        """Return whether a packet of this size may be given now, or must wait for others to go.

        Where nothing waits, a packet of any size may: or a large one could never be sent.
        """
        waiting_bytes = self._waiting_bytes
        return self.ended or not waiting_bytes or waiting_bytes + size_bytes <= self._room_bytes

    def take_output(self) -> list[str | bytes]:
        """Return the messages to write now, in order, and forget them."""
        output, self._output = self._output, []
        if not self._held:
            self._waiting_bytes = 0
        return output

    def start(self) -> None:
        """Ask the server for the task.

        Raises:
            InvalidState: That was done before.

        """
        self._apply(Signal.START)
        self._output.append(messages.encode_client(self._task))

    def send_audio(self, packet: bytes) -> None:
        """Send a packet of audio, or hold it until the task has started.

        Raises:
            InvalidState: The task has not been asked for, or takes no more audio.
            LocalProtocolError: There is no room for it; see `has_room`.

        """
        if not self.has_room(len(packet)):
            raise LocalProtocolError("Audio was given without asking whether there is room.")
        if self._apply(Signal.AUDIO) is Outcome.TAKE:
            self._progress += 1
        self._waiting_bytes += len(packet)
        self._say(packet)

    def update_context(self, context: Json) -> None:
        """Send context for the audio that follows.

        Raises:
            InvalidState: The task has not been asked for, or takes no more audio.

        """
        self._apply(Signal.CONTEXT)
        message = ContinueTask(task_id=self.task_id, input=context)
        self._say(messages.encode_client(message))

    def finish(self) -> None:
        """Say that no more audio will come.

        Raises:
            InvalidState: The task has not been asked for, or this was said before.

        """
        self._apply(Signal.FINISH)
        self._say_finish()

    def receive(self, message: str | bytes) -> ClientEvent | None:
        """Take a message from the server and return what it means to the caller, if anything."""
        event = self._read(message)
        signal = _signal_of(event)
        match self._apply(signal):
            case Outcome.FAIL:
                return event if isinstance(event, Failed) else Failed(_early_finish())
            case Outcome.SKIP:
                return event
            case Outcome.TAKE:
                self._progress += 1
                if signal is Signal.TASK_STARTED:
                    self._release()
                return None if _is_heartbeat(event) else event
            case _:
                return None

    def expire(self) -> Failed | None:
        """Take note that `patience_s` has passed without progress."""
        if self._state is State.RUNNING:
            self._apply(Signal.EXPIRY)
            self._say_finish()
            return None
        waited_s = self.patience_s or 0.0
        return self.lose(TransportTimeout(f"The server made no progress for {waited_s:g} seconds."))

    def lose(self, error: HearlineError) -> Failed | None:
        """Take note that the connection is lost, and return the end of the task if it is one."""
        return Failed(error) if self._apply(Signal.LOSS) is Outcome.FAIL else None

    def _read(self, message: str | bytes) -> ClientEvent | None:
        """Return what a message says, whether or not it fits now; None if it is for nobody."""
        if isinstance(message, bytes):
            return None
        try:
            received = messages.decode_server(message)
        except MalformedMessage as error:
            return Skipped(error.message)
        except RemoteProtocolError as error:
            return Failed(InvalidReply(error.message))
        if received.task_id not in (None, self.task_id) or isinstance(received, UnknownEvent):
            return None
        if isinstance(received, messages.TaskFailed):
            return Failed(TaskFailed(received.error_message, code=received.error_code))
        return received

    def _apply(self, signal: Signal) -> Outcome:
        """Move by the table and return what is to be done.

        Raises:
            InvalidState: The caller may not do this now; the texts are the ones that users of the
                official SDK know (spec 5.3).

        """
        transition = TRANSITIONS[self._state, signal]
        if transition.outcome is Outcome.FORBID:
            happened = "started" if signal is Signal.START else "stopped"
            raise InvalidState(f"Speech recognition has {happened}.")
        if transition.outcome is Outcome.IGNORE:
            self._ignored += 1
        if transition.state is not self._state:
            self._state = transition.state
            self._progress += 1
        return transition.outcome

    def _say(self, message: str | bytes) -> None:
        """Queue a message, behind the held ones while there are any to be."""
        holding = self._state in (State.STARTING, State.HURRYING)
        (self._held if holding else self._output).append(message)

    def _say_finish(self) -> None:
        self._say(messages.encode_client(FinishTask(task_id=self.task_id)))

    def _release(self) -> None:
        self._output += self._held
        self._held = []


def _signal_of(event: ClientEvent | None) -> Signal:
    match event:
        case None:
            return Signal.STRAY
        case TaskStarted():
            return Signal.TASK_STARTED
        case ResultGenerated():
            return Signal.RESULT
        case TaskFinished():
            return Signal.TASK_FINISHED
        case Skipped():
            return Signal.MALFORMED
        case Failed(error):
            return Signal.INVALID if isinstance(error, InvalidReply) else Signal.TASK_FAILED


def _is_heartbeat(event: ClientEvent | None) -> bool:
    """Return whether an event only says that the connection lives (spec 3.2)."""
    return isinstance(event, ResultGenerated) and event.sentence.heartbeat is True


def _early_finish() -> EarlyFinish:
    return EarlyFinish("The server finished the task before it was asked to.")
