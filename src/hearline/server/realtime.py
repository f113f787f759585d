"""One WebSocket: the task protocol on one side, the scheduler on the other.

The loop's work per packet is O(1). A reader task takes messages and holds back while the session's
backlog is large, so that TCP slows the sender; a writer task sends what the protocol machine says;
a timer ends the patience with a silent client.
"""

import asyncio
from typing import Final

import structlog
from litestar.types import Receive, Send

from hearline.errors import HearlineError, Overloaded
from hearline.scheduler import Job, Report
from hearline.server.rendering import to_sentence, to_usage
from hearline.server.service import Service
from hearline.wire.messages import RunTask
from hearline.wire.server import (
    AudioReceived,
    Close,
    ContextReceived,
    Deadlines,
    FinishRequested,
    ServerConnection,
    ServerEvent,
    TaskRequested,
)
from hearline.wire.server_states import ConnectionState

_BACKLOG_BYTES: Final = 4 * 1024 * 1024
"""Unprocessed audio of a connection from which its socket is not read: two minutes of PCM.

So much, because a ping behind unread audio is not answered, and official clients wait 15 s for it.
"""
_MOST_TASKS: Final = 8
"""How many tasks one connection may carry at once."""
_COALESCE_MESSAGES: Final = 32
"""Unsent messages of one client from which partials are left out; finals never are."""
_WRITE_S: Final = 30.0
"""How long a client may refuse to take a message."""

_LOG: Final = structlog.get_logger(__name__)


class Conversation:
    """A connection while it lasts."""

    def __init__(
        self, service: Service, deadlines: Deadlines, jobs: "dict[Job, Conversation]"
    ) -> None:
        """Begin a conversation.

        Args:
            service: Opens sessions.
            deadlines: How long to wait for the client.
            jobs: Whose reports go where; this conversation enters its own.

        """
        self._service = service
        self._machine = ServerConnection(deadlines)
        self._jobs = jobs
        self._tasks: dict[str, Job] = {}
        self._unsent: asyncio.Queue[str | Close] = asyncio.Queue()
        self._drained = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, receive: Receive, send: Send) -> None:
        """Talk until either side ends the conversation; then free everything."""
        writer = asyncio.create_task(self._write(send))
        reader = asyncio.create_task(self._read(receive))
        self._listen()
        try:
            done, _ = await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                failure = task.exception()
                if failure is not None and not isinstance(failure, OSError):
                    _LOG.error("a conversation broke", tasks=[*self._tasks], exc_info=failure)
        finally:
            self._stop_timer()
            self._give_up()
            for task in (reader, writer):
                task.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)

    def take(self, report: Report) -> None:
        """Take what a step brought for one of this conversation's sessions."""
        task_id = next((name for name, job in self._tasks.items() if job is report.job), None)
        if task_id is None:
            return
        behind = self._unsent.qsize() > _COALESCE_MESSAGES
        for transcript in report.transcripts:
            if transcript.final or not behind:
                usage = to_usage(report.received) if transcript.final else None
                self._machine.result(task_id, to_sentence(transcript), usage)
        if report.error is not None:
            self._fail(task_id, report.error)
        elif report.finished:
            _LOG.info("task finished", task=task_id)
            self._forget(task_id)
            self._machine.finish(task_id)
            self._listen()
        self._drained.set()
        self._settle()

    async def _read(self, receive: Receive) -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            if message["type"] != "websocket.receive":
                continue
            data = message.get("bytes")
            if data is not None:
                event = self._machine.receive_audio(data)
            else:
                event = self._machine.receive_text(message.get("text") or "")
            if event is not None:
                self._act(event)
            self._settle()
            await self._hold_back()
            self._listen()

    async def _hold_back(self) -> None:
        """Wait while the sessions have much to do; a client that is not heard is not silent."""
        while sum(job.backlog for job in self._tasks.values()) >= _BACKLOG_BYTES:
            self._stop_timer()
            self._drained.clear()
            await self._drained.wait()

    def _act(self, event: ServerEvent) -> None:
        match event:
            case AudioReceived(task_id, data):
                if data:
                    self._service.scheduler.feed(self._tasks[task_id], data)
            case FinishRequested(task_id):
                self._service.scheduler.finish(self._tasks[task_id])
            case TaskRequested(task):
                self._open(task)
            case ContextReceived(task_id, raw):
                try:
                    self._service.update_context(self._tasks[task_id], raw)
                except HearlineError as error:
                    self._fail(task_id, error)

    def _open(self, task: RunTask) -> None:
        try:
            if len(self._tasks) >= _MOST_TASKS:
                raise _too_many()
            job = self._service.open(task)
        except HearlineError as error:
            self._fail(task.task_id, error)
            return
        self._tasks[task.task_id] = job
        self._jobs[job] = self
        self._machine.start(task.task_id)
        _LOG.info("task started", task=task.task_id, model=task.model)

    def _fail(self, task_id: str, error: HearlineError) -> None:
        _LOG.info("task failed", task=task_id, error=type(error).__name__)
        self._machine.fail(task_id, error)

    def _settle(self) -> None:
        """Pass on what the machine says."""
        for message in self._machine.take_output():
            self._unsent.put_nowait(message)
        if self._machine.state is ConnectionState.CLOSED:
            self._give_up()

    def _listen(self) -> None:
        """Wait for the next message as long as the machine has patience."""
        self._stop_timer()
        patience_s = self._machine.patience_s
        if patience_s is not None:
            self._timer = asyncio.get_running_loop().call_later(patience_s, self._expire)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        _LOG.info("client silent", tasks=[*self._tasks], state=str(self._machine.state))
        self._machine.expire()
        self._settle()

    async def _write(self, send: Send) -> None:
        while True:
            message = await self._unsent.get()
            async with asyncio.timeout(_WRITE_S):
                if isinstance(message, Close):
                    await send(
                        {"type": "websocket.close", "code": message.code, "reason": message.reason}
                    )
                    return
                await send({"type": "websocket.send", "text": message, "bytes": None})

    def _give_up(self) -> None:
        """Cancel the sessions of all tasks."""
        for task_id, job in [*self._tasks.items()]:
            self._service.scheduler.cancel(job)
            self._forget(task_id)

    def _forget(self, task_id: str) -> None:
        self._jobs.pop(self._tasks.pop(task_id), None)
        self._drained.set()


def _too_many() -> Overloaded:
    return Overloaded(
        "Requests rate limit exceeded, please try again later. "
        f"A connection carries at most {_MOST_TASKS} tasks at once."
    )
