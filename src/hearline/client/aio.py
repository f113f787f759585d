"""`AsyncRecognition`: the same task on the caller's own event loop, with typed results.

async with AsyncRecognition(model=..., format="pcm", sample_rate=16000) as session:
    async with asyncio.TaskGroup() as group:
        group.create_task(session.feed(packets))
        async for sentence in session:
            print(sentence.text, sentence.sentence_end)
"""

import asyncio
import logging
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from types import TracebackType
from typing import Any, Final, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hearline.client.endpoint import from_environment, locate
from hearline.client.request import audio_bytes, build_request, check_required, new_task_id
from hearline.client.transport import (
    CONNECT_ERRORS,
    Patience,
    Refused,
    connect_options,
    explain_loss,
    explain_refusal,
)
from hearline.errors import HearlineError
from hearline.wire.client import (
    ClientEvent,
    ClientTask,
    Deadlines,
    Failed,
    Skipped,
    split_packets,
)
from hearline.wire.client_states import State
from hearline.wire.messages import (
    Json,
    ResultGenerated,
    Sentence,
    TaskFinished,
    TaskStarted,
    Usage,
)

LOGGER: Final = logging.getLogger("hearline.client")

_connect: Callable[..., AbstractAsyncContextManager[ClientConnection]] = connect


class _Connection(ClientConnection):
    """A connection that follows no redirect: the key is for the server that was named."""

    async def handshake(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - the parent's
        try:
            await super().handshake(*arguments, **options)
        except InvalidStatus as exc:
            raise Refused from exc


class AsyncRecognition:
    """One task of real-time speech recognition, as an asynchronous context manager and iterator.

    Iterating yields every sentence as it comes, partial and final, until the task has ended; an
    error that ends the task is raised there. Leaving the context early closes the connection.

    Args:
        model: The model to use.
        format: How the audio is encoded: pcm, wav, mp3, opus, speex, aac or amr.
        sample_rate: Samples per second, in Hz.
        api_key: The key; by default what the environment says (spec 8).
        base_address: URL of the server; by default what the environment says, then a server on
            this machine.
        workspace: The workspace to work in.
        headers: More headers for the handshake.
        deadlines: How long to wait, and for what.
        phrase_id: A phrase list of the first generation.
        **parameters: Parameters of the task (`docs/parameters.md`). None counts as unset.

    Raises:
        ModelRequired: No model is named.

    """

    def __init__(
        self,
        *,
        model: str,
        format: str,  # noqa: A002 - the documented name
        sample_rate: int,
        api_key: str | None = None,
        base_address: str | None = None,
        workspace: str | None = None,
        headers: Mapping[str, str] | None = None,
        deadlines: Deadlines | None = None,
        phrase_id: str | None = None,
        **parameters: object,
    ) -> None:
        check_required(model, format, sample_rate)
        options: dict[str, object] = {
            "format": format,
            "sample_rate": sample_rate,
            "api_key": api_key,
            "base_address": base_address,
            "workspace": workspace,
            "headers": headers,
            "deadlines": deadlines,
            **parameters,
        }
        self._request = build_request(model, options, task_id=new_task_id(), phrase_id=phrase_id)
        self._deadlines = self._request.deadlines
        self._task = ClientTask(self._request.task, self._deadlines)
        self._patience = Patience(self._task, self._deadlines)
        self._moved = asyncio.Event()
        self._events: asyncio.Queue[Sentence | None] = asyncio.Queue()
        """What the reader has for the caller; None is the end."""
        self._error: HearlineError | None = None
        self._usage: Usage | None = None
        self._connection: ClientConnection | None = None
        self._resources = AsyncExitStack()
        self._jobs: list[asyncio.Task[None]] = []

    @property
    def request_id(self) -> str:
        """The id of the task."""
        return self._task.task_id

    @property
    def usage(self) -> Usage | None:
        """What the task costs so far; None until the server has said so."""
        return self._usage

    async def __aenter__(self) -> Self:
        """Connect and ask for the task.

        Raises:
            AuthenticationError: There is no key, or the server does not accept it.
            ConnectError: There is no server, or it refuses the connection.
            TransportTimeout: The server does not answer.
            InvalidState: This was done before: an object serves one task.

        """
        endpoint = locate(self._request.access, from_environment())
        self._task.start()
        options = connect_options(endpoint, self._deadlines)
        try:
            connection = await self._resources.enter_async_context(
                _connect(endpoint.url, create_connection=_Connection, **options)
            )
        except CONNECT_ERRORS as exc:
            error = explain_refusal(endpoint.url, exc, self._deadlines)
            self._take(self._task.lose(error))
            raise error from exc
        self._connection = connection
        self._jobs = [
            asyncio.create_task(self._read(connection), name="hearline-reader"),
            asyncio.create_task(self._write(connection), name="hearline-writer"),
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connection, and end the task if it has not ended."""
        self._take(self._task.lose(HearlineError("The session was left before its end.")))
        if self._connection is not None and self._task.state is not State.FINISHED:
            # A polite close could wait long for a server that is behind with reading.
            self._connection.transport.abort()
        try:
            for job in self._jobs:
                job.cancel()
            await asyncio.wait(self._jobs)
        finally:
            await self._resources.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Sentence:
        """Return the next sentence, as it comes.

        Raises:
            TaskFailed: The server ended the task in failure.
            TransportError: The connection was lost, or the server makes no progress.
            ProtocolError: The server broke the protocol.

        """
        sentence = await self._events.get()
        if sentence is not None:
            return sentence
        self._events.put_nowait(None)  # for whoever asks again
        if self._error is not None:
            raise self._error
        raise StopAsyncIteration

    async def send_audio(self, data: bytes | bytearray | memoryview) -> None:
        """Send audio, best about 100 ms at a time; waits while too much is on its way.

        Raises:
            TypeError: It is not bytes, or like bytes.
            InvalidState: The task takes no more audio.
            HearlineError: The task has ended in this error.

        """
        packets = split_packets(audio_bytes(data))
        await asyncio.sleep(0)  # a source that never waits must not keep the writer from writing
        for packet in packets:
            await self._send_packet(packet)

    async def update_context(self, context: Json) -> None:
        """Send context for the audio that follows (spec 3.3).

        Raises:
            InvalidState: The task takes no more.
            HearlineError: The task has ended in this error.

        """
        self._raise_error()
        self._task.update_context(context)
        self._moved.set()

    async def finish(self) -> None:
        """Say that no more audio will come; iterating ends when the last result has come.

        Raises:
            InvalidState: This was said before.
            HearlineError: The task has ended in this error.

        """
        self._raise_error()
        self._task.finish()
        self._moved.set()

    async def feed(self, source: AsyncIterable[bytes] | Iterable[bytes]) -> None:
        """Send all audio of a source, then say that this was all.

        Run it beside the loop that reads the results. An error that ends the task ends this
        quietly: it is raised once, where the results are read.

        Args:
            source: Packets of audio, from an iterable or an asynchronous one.

        Raises:
            InvalidState: The task takes no more audio.

        """
        try:
            if isinstance(source, AsyncIterable):
                async for data in source:
                    await self.send_audio(data)
            else:
                for data in source:
                    await self.send_audio(data)
            await self.finish()
        except HearlineError:
            if self._error is None:
                raise

    async def _send_packet(self, packet: bytes) -> None:
        await self._wait_until(lambda: self._task.has_room(len(packet)))
        self._raise_error()
        self._task.send_audio(packet)
        self._moved.set()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    async def _wait_until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._moved.clear()
            await self._moved.wait()

    async def _read(self, connection: ClientConnection) -> None:
        """Hand on what happens, when it happens, until the task has ended."""
        try:
            while not self._task.ended:
                self._take(await self._next_event(connection))
                self._moved.set()
        finally:
            self._take(self._task.lose(HearlineError("The reader broke; its exception says why.")))
            self._events.put_nowait(None)

    async def _next_event(self, connection: ClientConnection) -> ClientEvent | None:
        """Wait for the next message, a little, and return what it or the waiting comes to."""
        try:
            async with asyncio.timeout(self._patience.remaining_s()):
                message = await connection.recv()
        except TimeoutError:
            return self._patience.end() if self._patience.remaining_s() <= 0 else None
        except ConnectionClosed as exc:
            error = explain_loss(exc)
            error.__cause__ = exc
            return self._task.lose(error)
        return self._task.receive(message)

    def _take(self, event: ClientEvent | None) -> None:
        match event:
            case ResultGenerated():
                self._usage = event.usage or self._usage
                self._events.put_nowait(event.sentence)
            case TaskFinished():
                self._usage = event.usage or self._usage
            case Skipped(reason):
                LOGGER.warning("A message of the server was skipped: %s", reason)
            case Failed(error):
                self._error = error
            case TaskStarted() | None:
                pass

    async def _write(self, connection: ClientConnection) -> None:
        """Write what the task has to say until it has ended.

        A connection that breaks here is no verdict: what the server said before may still be on its
        way to the reader, and says more.
        """
        with suppress(ConnectionClosed):
            while not self._task.ended:
                for message in self._task.take_output():
                    with self._patience.writing():
                        await connection.send(message)
                self._moved.set()
                await self._wait_until(lambda: self._task.has_output or self._task.ended)
