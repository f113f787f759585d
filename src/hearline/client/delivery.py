"""How the events of a conversation reach a callback: in order, one at a time, whatever it does."""

import logging
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from hearline.client.results import (
    Delays,
    RecognitionCallback,
    RecognitionResult,
    error_result,
    sentence_result,
)
from hearline.errors import HearlineError
from hearline.wire.client import ClientEvent, Failed, Skipped
from hearline.wire.messages import ResultGenerated, TaskFinished, TaskStarted

if TYPE_CHECKING:
    from hearline.client.conversation import Conversation

LOGGER: Final = logging.getLogger("hearline.client")


class Delivery:
    """Reads one conversation in a thread of its own and calls the callback.

    Args:
        conversation: What to read.
        callback: Whom to call.
        delays: Where to note when things happen.

    """

    def __init__(
        self, conversation: "Conversation", callback: RecognitionCallback, delays: Delays
    ) -> None:
        self._conversation = conversation
        self._callback = callback
        self._delays = delays
        self._strand = threading.Lock()
        """Held while the callback runs: `on_open` in the caller's thread, the rest in ours."""
        self._strand_holder: int | None = None
        self._silenced = False
        self._done = threading.Event()
        self._reader = threading.Thread(target=self._read, name="hearline-reader", daemon=True)
        self.last_result: RecognitionResult | None = None

    @property
    def is_inside(self) -> bool:
        """Whether to wait here would be to wait for oneself.

        So it is inside the callback, and in a signal handler that came in the middle of a call.
        """
        here = threading.get_ident()
        return self._strand_holder == here or self._conversation.is_held_here

    def start(self) -> None:
        """Connect, call `on_open`, and go on in a thread.

        `on_open` runs in the caller's thread once the handshake has succeeded: what it opens (the
        official sample opens the microphone and leaves its loop if that is not open when `start`
        returns) is open then, and never for a server that refused. A refusal goes to `on_error`
        and `on_close`, because that is where DashScope's users look for it (spec 12).

        Raises:
            Exception: Whatever `on_open` raises; the connection is closed and nothing follows.

        """
        self._silenced = True
        try:
            with self._on_strand():
                refusal = self._open()
                if refusal is None:
                    # The reader starts first, so that audio sent by `on_open` does not pile up.
                    self._reader.start()
                    self._callback.on_open()
                self._silenced = False
        finally:
            if self._silenced:
                self._abandon()
        if refusal is not None:
            self._end(Failed(refusal))

    def give_up(self, error: HearlineError) -> None:
        """End the task with this error, unless it has ended, and wait for the end."""
        self._conversation.give_up(error)
        self.wait()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing more will be called and return whether that is so."""
        if not self._done.wait(timeout_s):
            return False
        if self._reader.ident is not None:
            self._reader.join()
        return True

    def _open(self) -> HearlineError | None:
        try:
            self._conversation.open()
        except HearlineError as error:
            return error
        return None

    def _abandon(self) -> None:
        """End what `start` could not begin; the exception that it raises is the report."""
        error = HearlineError("The session was not started.")
        self._conversation.give_up(error)
        if self._reader.ident is None:
            self._end(Failed(error))
        self.wait()

    def _read(self) -> None:
        try:
            for event in self._conversation.events():
                self._deliver(event)
        finally:
            if not self._done.is_set():
                self._end(Failed(HearlineError("The reader broke; its exception says why.")))

    def _deliver(self, event: ClientEvent) -> None:
        match event:
            case TaskStarted():
                pass
            case ResultGenerated():
                self._delays.received(event)
                self.last_result = sentence_result(event, self._conversation.task_id)
                self._call(self._callback.on_event, self.last_result)
            case Skipped(reason):
                LOGGER.warning("A message of the server was skipped: %s", reason)
            case TaskFinished() | Failed():
                self._end(event)

    def _end(self, event: TaskFinished | Failed) -> None:
        """Call the one verdict, close, and call `on_close`."""
        if isinstance(event, Failed):
            self.last_result = error_result(event.error, self._conversation.task_id)
            self._call(self._callback.on_error, self.last_result)
        else:
            self._delays.finished()
            self._call(self._callback.on_complete)
        self._conversation.close()
        self._call(self._callback.on_close)
        self._done.set()

    def _call(self, method: Callable[..., None], *arguments: RecognitionResult) -> None:
        with self._on_strand():
            if self._silenced:
                return
            try:
                method(*arguments)
            except (Exception, SystemExit):
                # A program cannot be left from a thread, so that `sys.exit` is one more exception.
                name = getattr(method, "__name__", "a callback")
                LOGGER.exception("%s raised an exception; the session goes on.", name)

    @contextmanager
    def _on_strand(self) -> Generator[None]:
        with self._strand:
            self._strand_holder = threading.get_ident()
            try:
                yield
            finally:
                self._strand_holder = None
