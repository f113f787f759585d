"""One task over one connection, driven by threads.

Any thread may speak; one thread listens, by iterating over `Conversation.events`; a thread of the
conversation's own writes, so that neither ever waits for a server that does not read. What may be
said when, the task's machine decides; this module owns the socket, the clock and the locks.
"""

import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from threading import Condition, Thread, get_ident
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from hearline.client.endpoint import Endpoint
from hearline.client.transport import (
    CONNECT_ERRORS,
    Patience,
    Refused,
    connect_options,
    explain_loss,
    explain_refusal,
)
from hearline.errors import ConnectError, HearlineError
from hearline.wire.client import ClientEvent, ClientTask, Deadlines, Failed, split_packets
from hearline.wire.client_states import State
from hearline.wire.messages import Json, RunTask

_connect: Callable[..., AbstractContextManager[ClientConnection]] = connect


class _Connection(ClientConnection):
    """A connection that follows no redirect: the key is for the server that was named."""

    def handshake(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - the parent's
        try:
            super().handshake(*arguments, **options)
        except InvalidStatus as exc:
            raise Refused from exc


class Conversation:
    """One task over one connection.

    Raises:
        TypeError: A parameter of the task cannot be written as JSON.

    """

    def __init__(self, task: RunTask, endpoint: Endpoint, deadlines: Deadlines) -> None:
        self._endpoint = endpoint
        self._deadlines = deadlines
        self._task = ClientTask(task, deadlines)
        self._patience = Patience(self._task, deadlines)
        self._moved = Condition()
        """Guards the task; notified whenever it may have moved."""
        self._holder: int | None = None
        self._surrender: Failed | None = None
        self._resources = ExitStack()
        self._connection: ClientConnection | None = None
        self._writer: Thread | None = None
        self._task.start()

    @property
    def task_id(self) -> str:
        """The id of the task."""
        return self._task.task_id

    @property
    def ended(self) -> bool:
        """Whether the task has ended, well or not."""
        return self._task.ended

    @property
    def is_held_here(self) -> bool:
        """Whether this very thread is in the middle of a call, and a signal handler asks."""
        return self._holder == get_ident()

    def open(self) -> None:
        """Connect and ask for the task.

        Raises:
            HearlineError: There is no connection, for the reason given; the task has ended.

        """
        options = connect_options(self._endpoint, self._deadlines)
        url = self._endpoint.url
        try:
            connection = self._resources.enter_context(
                _connect(url, create_connection=_Connection, **options)
            )
        except CONNECT_ERRORS as exc:
            error = explain_refusal(url, exc, self._deadlines)
            self.give_up(error)
            raise error from exc
        except BaseException:
            self.give_up(ConnectError(f"Connecting to {url} was interrupted."))
            raise
        self._connection = connection
        self._writer = Thread(
            target=self._write, args=(connection,), name="hearline-writer", daemon=True
        )
        self._writer.start()

    def send_audio(self, data: bytes) -> None:
        """Queue audio to be sent; wait while there is no room for it.

        Raises:
            InvalidState: The task takes no more audio, or has ended meanwhile.

        """
        for packet in split_packets(data):
            self._send_packet(packet)

    def update_context(self, context: Json) -> None:
        """Queue context for the audio that follows.

        Raises:
            InvalidState: The task takes no more.

        """
        with self._hold():
            self._task.update_context(context)

    def finish(self) -> None:
        """Say that no more audio will come.

        Raises:
            InvalidState: That was said before, or the task has ended.

        """
        with self._hold():
            self._task.finish()

    def give_up(self, error: HearlineError) -> None:
        """End the task here and now, unless it has ended."""
        with self._hold():
            self._surrender = self._task.lose(error) or self._surrender

    def events(self) -> Iterator[ClientEvent]:
        """Yield what happens, when it happens, until the task has ended."""
        while self._connection is not None and not self._task.ended:
            event = self._next_event(self._connection)
            if event is not None:
                yield event
        if self._surrender is not None:
            yield self._surrender

    def close(self) -> None:
        """Close the connection, without waiting long for a server that does not answer."""
        if self._connection is not None and self._task.state is not State.FINISHED:
            # A polite close could wait for ever behind a write that a deaf server does not take.
            with suppress(OSError):
                self._connection.socket.shutdown(socket.SHUT_RDWR)
        self._resources.close()
        if self._writer is not None:
            self._writer.join()

    @contextmanager
    def _hold(self) -> Generator[None]:
        """Hold the task and tell the others that it may have moved."""
        with self._moved:
            outer, self._holder = self._holder, get_ident()
            try:
                yield
            finally:
                self._holder = outer
                self._moved.notify_all()

    def _send_packet(self, packet: bytes) -> None:
        with self._hold():
            self._moved.wait_for(lambda: self._task.has_room(len(packet)))
            self._task.send_audio(packet)

    def _next_event(self, connection: ClientConnection) -> ClientEvent | None:
        """Wait for the next message, a little, and return what it or the waiting comes to."""
        message = loss = None
        try:
            message = connection.recv(timeout=self._patience.remaining_s())
        except TimeoutError:
            pass
        except ConnectionClosed as exc:
            loss = explain_loss(exc)
            loss.__cause__ = exc
        with self._hold():
            if message is not None:
                return self._task.receive(message)
            if loss is not None:
                return self._task.lose(loss)
            return self._patience.end() if self._patience.remaining_s() <= 0 else None

    def _write(self, connection: ClientConnection) -> None:
        """Write what the task has to say until it has ended.

        A connection that breaks here is no verdict: what the server said before may still be on its
        way to the reader, and says more.
        """
        with suppress(ConnectionClosed):
            while output := self._wait_for_output():
                for message in output:
                    with self._patience.writing():
                        connection.send(message)

    def _wait_for_output(self) -> list[str | bytes]:
        """Return the messages to write now, none if the task has ended."""
        with self._hold():
            self._moved.wait_for(lambda: self._task.has_output or self._task.ended)
            return [] if self._task.ended else self._task.take_output()
