"""Running a server: for good in the foreground, or in a thread inside another program."""

import logging
import os
import sys
import threading
from typing import Final, Self

import structlog
import uvicorn

from hearline.config import Settings
from hearline.errors import ConfigurationError
from hearline.server.app import INFERENCE_PATH, Server, build_app

_MESSAGE_BYTES: Final = 1024 * 1024
"""Largest WebSocket message (R9, R11)."""
_PING_S: Final = 20.0
"""Between pings, which keep the way open."""
_POLL_S: Final = 0.02


def configure_logging(level: str = "info") -> None:
    """Send the service's log to standard error, one line an event."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty() and "NO_COLOR" not in os.environ,
                # The default shows the variables of every frame, keys and audio among them.
                exception_formatter=structlog.dev.plain_traceback,
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=level.upper(), stream=sys.stderr, format="%(levelname)s %(message)s")


def serve(settings: Settings) -> None:
    """Serve until interrupted.

    Raises:
        ConfigurationError: The address cannot be listened on.
        HearlineError: The engine cannot be loaded.

    """
    configure_logging()
    server = Server(settings)
    uvicorn_server = uvicorn.Server(_configuration(server, settings))
    server.on_failure = lambda: setattr(uvicorn_server, "should_exit", True)
    try:
        uvicorn_server.run()
    except SystemExit as exc:  # uvicorn's word for an address that is taken
        raise ConfigurationError(f"Cannot listen on {settings.host}:{settings.port}.") from exc
    if server.failure is not None:
        raise server.failure


class EmbeddedServer:
    """A server in a thread of this process, for as long as the context lasts."""

    def __init__(self, server: Server, settings: Settings) -> None:
        """Prepare.

        Args:
            server: What to serve.
            settings: Where; port 0 takes a free one.

        """
        self._server = server
        self._settings = settings
        self._uvicorn = uvicorn.Server(_configuration(server, settings))
        self._thread = threading.Thread(target=self._uvicorn.run, name="hearline-server")

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._uvicorn.servers[0].sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """Where the task protocol is spoken."""
        return f"ws://{self._settings.host}:{self.port}{INFERENCE_PATH}"

    def __enter__(self) -> Self:
        """Start, and wait until the engine is loaded.

        Raises:
            HearlineError: It cannot be served.

        """
        self._thread.start()
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and wait until everything is released."""
        self._uvicorn.should_exit = True
        self._thread.join()

    def _wait_until_ready(self) -> None:
        pause = threading.Event()
        while not (self._uvicorn.started and self._server.ready):
            if self._server.failure is not None:
                raise self._server.failure
            if not self._thread.is_alive():
                raise ConfigurationError(
                    f"Cannot listen on {self._settings.host}:{self._settings.port}."
                )
            pause.wait(_POLL_S)


def _configuration(server: Server, settings: Settings) -> uvicorn.Config:
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    return uvicorn.Config(
        build_app(server),
        host=settings.host,
        port=settings.port,
        ws="websockets-sansio",
        ws_max_size=_MESSAGE_BYTES,
        ws_ping_interval=_PING_S,
        # No verdict from a missing pong: official clients cannot answer while they wait for audio
        # (R6), and an answer may stand behind all the audio of a socket that is held back.
        ws_ping_timeout=None,
        ws_per_message_deflate=False,  # official clients never ask, and bombs need it (R10)
        access_log=False,
        log_config=None,
        lifespan="on",
    )


def _is_news(record: logging.LogRecord) -> bool:
    """Drop uvicorn's complaint about a refused handshake: refusing is what was meant."""
    return "without completing handshake" not in record.getMessage()
