"""Recordings to text, one after the other: reading, recognising and writing at the same time."""

import asyncio
import os
import secrets
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from hearline.cli.display import Display, complain
from hearline.cli.exits import Exit, exit_of
from hearline.cli.formats import Writer
from hearline.cli.recordings import Recording, open_recording
from hearline.client.aio import AsyncRecognition
from hearline.errors import HearlineError
from hearline.wire.client import Deadlines
from hearline.wire.messages import Sentence

_DEADLINES: Final = Deadlines(progress_s=60.0)
"""More patience than live speech has: the server works through a backlog, and nobody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A server, and the key it wants; None leaves the key to the environment."""

    url: str
    api_key: str | None


class Transcription:
    """Everything that is written to standard output in one run."""

    def __init__(
        self,
        *,
        writer: Writer,
        display: Display,
        find_destination: Callable[[], Destination],
        parameters: Mapping[str, Any],
    ) -> None:
        """Begin.

        Args:
            writer: Gives the text its format.
            display: Shows how far it is.
            find_destination: Returns where to recognise; called when there is audio.
            parameters: What to ask of the server, beside format and rate.

        """
        self._writer = writer
        self._display = display
        self._find_destination = find_destination
        self._parameters = parameters

    def add(self, path: Path, rate: int | None) -> Exit:
        """Add a file; what is wrong with it alone is said, and another may follow.

        Args:
            path: The file.
            rate: Sample rate in Hz, said of headerless audio.

        Raises:
            HearlineError: What is wrong would be wrong with every file.

        """
        name = os.fsencode(path).decode(errors="backslashreplace")
        try:
            with open_recording(path, rate) as recording:
                destination = self._find_destination()
                self._display.begin(path.name, recording.duration_ms)
                self._write(self._writer.begin(name))
                asyncio.run(self._recognise(recording, destination))
                self._write(self._writer.end(recording.duration_ms))
        except HearlineError as error:
            if exit_of(error) is not Exit.FAILED:
                raise
            with self._display.aside():
                complain(f"{name}: {error.message}")
            return Exit.FAILED
        return Exit.DONE

    def close(self) -> None:
        """Write what stands after all files."""
        self._write(self._writer.close())

    async def _recognise(self, recording: Recording, destination: Destination) -> None:
        session = AsyncRecognition(
            format=recording.format,
            sample_rate=recording.sample_rate,
            base_address=destination.url,
            api_key=destination.api_key,
            deadlines=_DEADLINES,
            **self._parameters,
        )
        try:
            async with session, asyncio.TaskGroup() as group:
                group.create_task(session.feed(_pieces(recording)))
                async for sentence in session:
                    self._take(sentence)
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures

    def _take(self, sentence: Sentence) -> None:
        if sentence.heartbeat is True:
            return
        self._display.heard(max([sentence.begin_time, *(w.end_time for w in sentence.words)]))
        if sentence.sentence_end and sentence.text.strip():
            self._write(self._writer.sentence(sentence))

    def _write(self, text: str) -> None:
        if text:
            with self._display.aside():
                sys.stdout.write(text)
                sys.stdout.flush()


async def _pieces(recording: Recording) -> AsyncGenerator[bytes]:
    """Yield a recording's bytes; a slow disk or pipe holds up neither the loop nor the end."""
    loop = asyncio.get_running_loop()
    while True:
        piece: asyncio.Future[bytes] = loop.create_future()
        # Not `to_thread`: its threads are waited for at the end, and a pipe may never say more.
        threading.Thread(target=_read, args=(recording, piece, loop), daemon=True).start()
        if not (data := await piece):
            return
        yield data


def _read(
    recording: Recording, piece: asyncio.Future[bytes], loop: asyncio.AbstractEventLoop
) -> None:
    """Read on, in a thread of its own, and tell the loop, if that still runs."""

    def settle(data: bytes, error: HearlineError | None) -> None:
        if piece.done():
            return
        if error is not None:
            piece.set_exception(error)
        else:
            piece.set_result(data)

    data, error = b"", None
    try:
        data = recording.read()
    except HearlineError as problem:
        error = problem
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(settle, data, error)


@contextmanager
def open_destination(url: str | None, api_key: str | None) -> Generator[Callable[[], Destination]]:
    """Prepare where to recognise for as long as the context lasts.

    Args:
        url: The server that was named; without one, this process serves, once it is asked to.
        api_key: The key of the named server.

    Yields:
        What returns the destination.

    """
    with ExitStack() as stack:

        @cache
        def find() -> Destination:
            if url is not None:
                return Destination(url=url, api_key=api_key)
            return stack.enter_context(_embedded_server())

        yield find


@contextmanager
def _embedded_server() -> Generator[Destination]:
    """Serve on a free port of the loopback, to nobody but this process."""
    # Imported here: a client of another server needs none of it.
    from hearline.config import load_settings  # noqa: PLC0415
    from hearline.server.app import Server  # noqa: PLC0415
    from hearline.server.running import EmbeddedServer, configure_logging  # noqa: PLC0415

    configure_logging("critical")
    api_key = secrets.token_urlsafe()
    flags = {"host": "127.0.0.1", "port": 0, "api_key": api_key}
    settings = load_settings(flags, os.environ)
    with EmbeddedServer(Server(settings), settings) as server:
        yield Destination(url=server.url, api_key=api_key)
