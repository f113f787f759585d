"""What both shells share about WebSockets: options, patience, and websockets' errors renamed.

The border at which foreign exceptions end: beyond this module there are only Hearline's.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from hearline.client.endpoint import Endpoint
from hearline.errors import (
    AccessDenied,
    AuthenticationError,
    ConnectError,
    ConnectionLost,
    HearlineError,
    InvalidReply,
    TransportTimeout,
)
from hearline.wire.client import ClientTask, Deadlines, Failed

CONNECT_ERRORS: Final = (OSError, WebSocketException, UnicodeError)
"""What may be raised while connecting; `UnicodeError` where a host's name is no name."""

TICK_S: Final = 0.25
"""How often a waiting reader looks at the clock: a verdict is late by this much at most."""

_MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
_MAX_QUEUED_MESSAGES: Final = 1000
_SHOWN_BODY_CHARACTERS: Final = 500
_OUR_COMPLAINTS: Final = (1002, 1007, 1009)


class Refused(OSError):
    """The server refused the handshake; the cause says how.

    Not an `InvalidStatus`, for that would let websockets follow a redirect.
    """


def connect_options(endpoint: Endpoint, deadlines: Deadlines) -> dict[str, Any]:
    """Return the options that both flavours of `websockets.connect` take alike."""
    options: dict[str, Any] = {
        "additional_headers": endpoint.headers,
        "user_agent_header": None,
        "compression": None,
        "open_timeout": deadlines.connect_s,
        "ping_interval": deadlines.ping_s,
        # A server that works through a backlog does not read, so that its answer to a ping may come
        # when all audio sent ahead is done: no answer is no verdict.
        "ping_timeout": None,
        "close_timeout": deadlines.close_s,
        "max_size": _MAX_MESSAGE_BYTES,
        # Reading goes on while a callback is slow or a write is stuck: a server that answers before
        # it reads on must not wait for us while we wait for it.
        "max_queue": _MAX_QUEUED_MESSAGES,
    }
    if endpoint.is_loopback:
        options["proxy"] = None
    return options


def explain_refusal(url: str, exc: Exception, deadlines: Deadlines) -> HearlineError:
    """Return why there is no connection, with the server's own words where it said some."""
    match exc:
        case Refused(__cause__=InvalidStatus(response=response)):
            return _explain_status(url, response.status_code, bytes(response.body or b""))
        case TimeoutError():
            return TransportTimeout(f"No connection to {url} within {deadlines.connect_s:g} s.")
        case OSError() | UnicodeError():
            return ConnectError(f"Cannot connect to {url}: {exc}. Is the server running?")
        case _:
            return ConnectError(f"{url} does not answer as a WebSocket server: {exc}.")


def explain_loss(exc: ConnectionClosed) -> HearlineError:
    """Return why the connection ended before the task did."""
    if exc.rcvd is None and exc.sent is not None and exc.sent.code in _OUR_COMPLAINTS:
        return InvalidReply(f"The server broke the WebSocket protocol: {exc.sent}.")
    if exc.rcvd is None:
        return ConnectionLost(f"The connection broke before the task ended: {exc}.")
    return ConnectionLost(f"The server closed the connection before the task ended: {exc.rcvd}.")


def _explain_status(url: str, status: int, body: bytes) -> HearlineError:
    code, text = _read_refusal(body)
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return AuthenticationError(text or f"{url} does not accept the API key.", code=code)
        case HTTPStatus.FORBIDDEN:
            return AccessDenied(
                text or f"{url} denies access (403): its path or the API key is wrong.", code=code
            )
        case _:
            said = ": ".join(part for part in (code, text) if part)
            reason = f"HTTP status {status}" + (f" ({said})" if said else "")
            return ConnectError(f"{url} refused the connection: {reason}.", status=status)


def _read_refusal(body: bytes) -> tuple[str | None, str]:
    """Return the code and text of a refusal, in DashScope's shape or any other (spec 1.3)."""
    text = body.decode(errors="replace").strip()[:_SHOWN_BODY_CHARACTERS]
    try:
        refusal = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None, text
    code, message = refusal.get("code"), refusal.get("message")
    return (code if isinstance(code, str) else None), str(message or text)


class Patience:
    """Measures how long a task may still wait; told what moves by whoever moves it."""

    def __init__(self, task: ClientTask, deadlines: Deadlines) -> None:
        self._task = task
        self._progress_s = deadlines.progress_s
        self._progress = task.progress
        self._since_s = time.monotonic()
        self._writing = False

    @property
    def is_writing(self) -> bool:
        """Whether a message is on its way out, and has not got through."""
        return self._writing

    @contextmanager
    def writing(self) -> Generator[None]:
        """Count a write as progress when it begins and when it is through."""
        self._since_s, self._writing = time.monotonic(), True
        try:
            yield
        finally:
            self._since_s, self._writing = time.monotonic(), False

    def remaining_s(self) -> float:
        """Return how long to wait before the next look, 0 or less if patience is over."""
        if self._task.progress != self._progress:
            self._progress, self._since_s = self._task.progress, time.monotonic()
        # While a write is stuck, the caller is not silent: the server is.
        patience_s = self._progress_s if self._writing else self._task.patience_s
        if patience_s is None:
            return TICK_S
        return min(TICK_S, self._since_s + patience_s - time.monotonic())

    def end(self) -> Failed | None:
        """Tell the task that patience is over and return its end, if it is one."""
        if self._writing:
            return self._task.lose(
                TransportTimeout(f"The server took no data for {self._progress_s:g} seconds.")
            )
        return self._task.expire()
