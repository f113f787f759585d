"""A server on loopback that does what its script says, right or wrong."""

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeAlias

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

PATIENCE_S = 20.0
"""No script waits longer for its client."""


class Talk:
    """One connection as the server sees it: what was heard, and what may be said."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        assert connection.request is not None
        self.headers = connection.request.headers
        self.heard: list[dict[str, Any]] = []
        self.packets: list[bytes] = []
        self.task_id = ""

    @property
    def audio(self) -> bytes:
        return b"".join(self.packets)

    @property
    def actions(self) -> list[str]:
        return [message["header"]["action"] for message in self.heard]

    @property
    def run_task(self) -> dict[str, Any]:
        return self.heard[0]["payload"]

    def hear(self) -> str | bytes:
        """Take the next message, whatever it is."""
        message = self.connection.recv(timeout=PATIENCE_S)
        if isinstance(message, bytes):
            self.packets.append(message)
        else:
            self.heard.append(json.loads(message))
            self.task_id = self.heard[-1]["header"]["task_id"]
        return message

    def hear_audio(self, size_bytes: int = 1) -> None:
        """Listen until so much audio has come."""
        while len(self.audio) < size_bytes:
            self.hear()

    def hear_finish(self) -> None:
        """Listen to the end of the audio."""
        while "finish-task" not in self.actions:
            self.hear()

    def hear_close(self) -> None:
        """Listen, and say nothing, until the client leaves."""
        with suppress(ConnectionClosed):
            while True:
                self.hear()

    def say(self, event: str, payload: dict[str, Any] | None = None, **header: Any) -> None:
        head = {"task_id": self.task_id, "event": event, "attributes": {}} | header
        self.connection.send(json.dumps({"header": head, "payload": payload or {}}))

    def start(self) -> None:
        """Hear the request for a task, and start it."""
        self.hear()
        self.say("task-started")

    def partial(self, text: str, **fields: Any) -> None:
        self.say("result-generated", {"output": {"sentence": sentence(text, **fields)}})

    def final(self, text: str, end_time: int = 900, **fields: Any) -> None:
        spoken = sentence(text, end_time=end_time, sentence_end=True, **fields)
        payload = {"output": {"sentence": spoken}, "usage": {"duration": 1 + end_time // 1000}}
        self.say("result-generated", payload)

    def finish(self) -> None:
        self.say("task-finished", {"output": {}, "usage": None})

    def fail(self, code: str = "InternalError", message: str = "It broke.") -> None:
        self.say("task-failed", error_code=code, error_message=message)


Script: TypeAlias = Callable[[Talk], None]


def sentence(text: str, **fields: Any) -> dict[str, Any]:
    words = [{"begin_time": 0, "end_time": 900, "text": text, "punctuation": ""}]
    return {
        "sentence_id": 1,
        "begin_time": 0,
        "end_time": None,
        "text": text,
        "words": words,
        "sentence_end": False,
    } | fields


def obedient(talk: Talk) -> None:
    """Do what a server should: tell how many bytes came, in one partial and one final."""
    talk.start()
    talk.partial("so far", sentence_begin=True)
    talk.hear_finish()
    talk.final(f"{len(talk.audio)} bytes")
    talk.finish()
    talk.hear_close()


def failing(talk: Talk) -> None:
    """Fail the task when the first audio has come."""
    talk.start()
    talk.hear_audio()
    talk.fail()
    talk.hear_close()


def endless(talk: Talk) -> None:
    """Start the task and say nothing more."""
    talk.start()
    talk.hear_close()


class FakeServer:
    """A server for one test.

    Args:
        script: What to do with each connection.
        refusal: What to answer instead of a handshake: status, body, and headers.

    """

    def __init__(
        self,
        script: Script = obedient,
        *,
        refusal: tuple[int, str] | tuple[int, str, dict[str, str]] | None = None,
    ) -> None:
        self._script = script
        self._refusal = refusal
        self.talks: list[Talk] = []
        self.requests: list[Request] = []
        self._server = serve(
            self._talk, "127.0.0.1", 0, process_request=self._answer, close_timeout=1, max_size=None
        )
        self._thread = threading.Thread(target=self._server.serve_forever)
        host, port = self._server.socket.getsockname()
        self.url = f"ws://{host}:{port}/api-ws/v1/inference"

    @property
    def talk(self) -> Talk:
        """The last connection."""
        return self.talks[-1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        if self._refusal is None:
            return None
        status, body, *headers = self._refusal
        response = connection.respond(status, body)
        for name, value in (headers[0] if headers else {}).items():
            response.headers[name] = value
        return response

    def _talk(self, connection: ServerConnection) -> None:
        talk = Talk(connection)
        self.talks.append(talk)
        with suppress(ConnectionClosed):
            self._script(talk)


class RawServer:
    """A TCP server that answers a request with whatever bytes it was given, or not at all."""

    def __init__(self, answer: bytes | None) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self.url = f"ws://127.0.0.1:{self._listener.getsockname()[1]}/api-ws/v1/inference"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.settimeout(PATIENCE_S)
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(4096)
            if self._answer is not None:
                connection.sendall(self._answer)
                return
            with suppress(ConnectionError):
                connection.recv(1)
