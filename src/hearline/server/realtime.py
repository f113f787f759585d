"""One WebSocket: the task protocol on one side, the scheduler on the other.

The loop's work per packet is O(1). A reader task takes messages and holds back while the session's
backlog is large, so that TCP slows the sender; a writer task sends what the protocol machine says;
a timer ends the patience with a silent client.
"""

import asyncio
from typing import Final

import structlog
from litestar.types import Receive, Send

from hearline.errors import HearlineError
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
    State,
    TaskRequested,
)

_BACKLOG_BYTES: Final = 4 * 1024 * 1024
"""Unprocessed audio of one session from which its socket is not read: two minutes of PCM.

So much, because a ping behind unread audio is not answered, and official clients wait 15 s for it.
"""
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
        self._job: Job | None = None
        self._unsent: asyncio.Queue[str | Close] = asyncio.Queue()
        self._drained = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def task_id(self) -> str | None:
        """Id of the task that runs or ran last."""
        return self._machine.task_id

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
                    _LOG.error("a conversation broke", task=self.task_id, exc_info=failure)
        finally:
            self._stop_timer()
            self._give_up_job()
            for task in (reader, writer):
                task.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)

    def take(self, report: Report) -> None:
        """Take what a step brought for this conversation's session."""
        if report.job is not self._job:
            return
        behind = self._unsent.qsize() > _COALESCE_MESSAGES
        for transcript in report.transcripts:
            if transcript.final or not behind:
                usage = to_usage(report.received) if transcript.final else None
                self._machine.result(to_sentence(transcript), usage)
        if report.error is not None:
            self._fail(report.error)
        elif report.finished:
            _LOG.info("task finished", task=self.task_id)
            self._forget_job()
            self._machine.finish()
            self._listen()
        if report.job.backlog < _BACKLOG_BYTES:
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
        """Wait while the session has much to do; a client that is not heard is not silent."""
        while self._job is not None and self._job.backlog >= _BACKLOG_BYTES:
            self._stop_timer()
            self._drained.clear()
            await self._drained.wait()

    def _act(self, event: ServerEvent) -> None:
        match event:
            case AudioReceived(data):
                if self._job is not None and data:
                    self._service.scheduler.feed(self._job, data)
            case FinishRequested():
                if self._job is not None:
                    self._service.scheduler.finish(self._job)
            case TaskRequested(task):
                self._open(task)
            case ContextReceived():
                pass  # no engine here can use context

    def _open(self, task: RunTask) -> None:
        try:
            self._job = self._service.open(task)
        except HearlineError as error:
            self._fail(error)
            return
        self._jobs[self._job] = self
        self._machine.start()
        _LOG.info("task started", task=task.task_id, model=task.model)

    def _fail(self, error: HearlineError) -> None:
        _LOG.info("task failed", task=self.task_id, error=type(error).__name__)
        self._give_up_job()
        self._machine.fail(error)

    def _settle(self) -> None:
        """Pass on what the machine says."""
        for message in self._machine.take_output():
            self._unsent.put_nowait(message)
        if self._machine.state is State.CLOSED:
            self._give_up_job()

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
        _LOG.info("client silent", task=self.task_id, state=str(self._machine.state))
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

    def _give_up_job(self) -> None:
        if self._job is not None:
            self._service.scheduler.cancel(self._job)
            self._forget_job()

    def _forget_job(self) -> None:
        if self._job is not None:
            self._jobs.pop(self._job, None)
            self._job = None
        self._drained.set()
