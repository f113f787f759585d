"""The composition root: settings to a service that answers HTTP and WebSockets.

Owns start and shutdown. The engine loads in a thread while `/livez` answers already; `/readyz`
answers 200 once it is loaded, and WebSockets are refused with 503 until then.
"""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
import structlog
from litestar import Litestar, Response, asgi, get
from litestar.types import Receive, Scope, Send

from hearline.config import Settings
from hearline.engines.base import Engine
from hearline.engines.registry import open_engine
from hearline.errors import (
    AuthenticationError,
    EngineError,
    HearlineError,
    Overloaded,
    RemoteProtocolError,
)
from hearline.scheduler import Job, Report
from hearline.server.access import Access
from hearline.server.realtime import Conversation
from hearline.server.service import Service
from hearline.vad.choice import open_detector
from hearline.vad.detector import Detector
from hearline.wire.server import Deadlines

INFERENCE_PATH: Final = "/api-ws/v1/inference"
"""Where the task protocol is spoken; Litestar takes a trailing slash as the same (spec 1.1)."""

_LOG: Final = structlog.get_logger(__name__)


class Server:
    """A service and the conversations it has."""

    def __init__(
        self,
        settings: Settings,
        *,
        engine: Callable[[], Engine] | None = None,
        detector: Callable[[], Detector] | None = None,
        deadlines: Deadlines | None = None,
    ) -> None:
        """Prepare; nothing is loaded before `run`.

        Args:
            settings: How to run.
            engine: Opens another engine than the one the settings name.
            detector: Opens another detector than the best one at hand.
            deadlines: How long to wait for clients.

        """
        self._open_engine = engine or (lambda: open_engine(settings.engine))
        self._open_detector = detector or (lambda: open_detector(settings.models))
        self._access = Access(settings.api_key)
        self._deadlines = deadlines or Deadlines()
        self._service: Service | None = None
        self._conversations: dict[Job, Conversation] = {}
        self.failure: HearlineError | None = None
        """Why the engine could not be loaded, if it could not."""
        self.on_failure: Callable[[], None] = lambda: None
        """Called then, in the event loop."""

    @property
    def ready(self) -> bool:
        """Whether the engine is loaded."""
        return self._service is not None

    @asynccontextmanager
    async def run(self, _: Litestar) -> AsyncGenerator[None]:
        """Load in the background for as long as the application runs, then release all."""
        loading = asyncio.create_task(self._load(asyncio.get_running_loop()))
        try:
            yield
        finally:
            await loading
            if self._service is not None:
                await asyncio.to_thread(self._service.close)

    async def converse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request on the inference path."""
        if scope["type"] != "websocket":
            await _answer_http(send, 426, RemoteProtocolError("This path speaks WebSocket only."))
            return
        await receive()  # websocket.connect
        try:
            self._access.check(scope["headers"])
        except AuthenticationError as error:
            await _refuse(send, error.http_status, error)
            return
        if self._service is None:
            loading = Overloaded("The model is loading: try again soon.", code="ModelUnavailable")
            await _refuse(send, 503, loading, (b"retry-after", b"2"))
            return
        await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        conversation = Conversation(self._service, self._deadlines, self._conversations)
        await conversation.run(receive, send)

    async def _load(self, loop: asyncio.AbstractEventLoop) -> None:
        def deliver(reports: Sequence[Report]) -> None:
            loop.call_soon_threadsafe(self._dispatch, reports)

        def load() -> Service:
            return Service(self._open_engine(), self._open_detector(), deliver)

        try:
            self._service = await asyncio.to_thread(load)
        except HearlineError as failure:
            self.failure = failure
        except Exception as failure:  # noqa: BLE001 - foreign code may raise anything
            _LOG.exception("the engine cannot be loaded")
            self.failure = EngineError("The engine cannot be loaded; the log says why.")
            self.failure.__cause__ = failure
        if self.failure is not None:
            self.on_failure()

    def _dispatch(self, reports: Sequence[Report]) -> None:
        for report in reports:
            conversation = self._conversations.get(report.job)
            if conversation is not None:
                conversation.take(report)


def build_app(server: Server) -> Litestar:
    """Return the application of a server: its routes and its life."""

    @asgi(INFERENCE_PATH, copy_scope=True)
    async def inference(scope: Scope, receive: Receive, send: Send) -> None:
        await server.converse(scope, receive, send)

    @get("/livez", sync_to_thread=False)
    def livez() -> dict[str, str]:
        """Answer while the process lives."""
        return {"status": "alive"}

    @get("/readyz", sync_to_thread=False)
    def readyz() -> Response[dict[str, str]]:
        """Answer 200 once the model is loaded, 503 before."""
        if server.ready:
            return Response({"status": "ready"})
        return Response({"status": "failed" if server.failure else "loading"}, status_code=503)

    return Litestar(
        [inference, livez, readyz], lifespan=[server.run], openapi_config=None, logging_config=None
    )


def _error_body(error: HearlineError) -> bytes:
    """Return an error as DashScope's HTTP interface has it (spec 1.3)."""
    body = {"code": error.reported_code, "message": error.message, "request_id": str(uuid.uuid4())}
    return msgspec.json.encode(body)


async def _refuse(
    send: Send, status: int, error: HearlineError, *headers: tuple[bytes, bytes]
) -> None:
    """Refuse a WebSocket at the handshake, never by 200 or a redirect (R5)."""
    await _respond(send, "websocket.http.response", status, error, headers)


async def _answer_http(send: Send, status: int, error: HearlineError) -> None:
    await _respond(send, "http.response", status, error, ((b"upgrade", b"websocket"),))


async def _respond(
    send: Any,  # noqa: ANN401 - one sender for two kinds of message
    kind: str,
    status: int,
    error: HearlineError,
    headers: Sequence[tuple[bytes, bytes]],
) -> None:
    content_type = (b"content-type", b"application/json")
    await send({"type": f"{kind}.start", "status": status, "headers": [content_type, *headers]})
    await send({"type": f"{kind}.body", "body": _error_body(error), "more_body": False})
