"""What the service answers to plain HTTP."""

import json
import threading
import urllib.error
import urllib.request

import pytest
from kit import pitch_script, serving
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from hearline.config import Settings
from hearline.engines.scripted import Scripted
from hearline.errors import ConfigurationError
from hearline.server.app import Server
from hearline.server.running import EmbeddedServer
from hearline.vad.loudness import Loudness


def get(url: str) -> tuple[int, dict[str, str]]:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - loopback
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_it_lives_and_is_ready() -> None:
    with serving() as server:
        base = f"http://127.0.0.1:{server.port}"
        assert get(f"{base}/livez") == (200, {"status": "alive"})
        assert get(f"{base}/readyz") == (200, {"status": "ready"})


def test_until_the_model_is_loaded_it_lives_but_is_not_ready() -> None:
    gate = threading.Event()

    def load() -> Scripted:
        gate.wait(20)
        return Scripted(pitch_script)

    settings = Settings(port=0)
    server = EmbeddedServer(Server(settings, engine=load, detector=Loudness), settings)
    entering = threading.Thread(target=server.__enter__)
    entering.start()
    try:
        while not server._uvicorn.started:
            threading.Event().wait(0.01)
        base = f"http://127.0.0.1:{server.port}"
        assert get(f"{base}/livez")[0] == 200
        assert get(f"{base}/readyz") == (503, {"status": "loading"})
        with pytest.raises(InvalidStatus) as refusal:
            connect(server.url)
        assert refusal.value.response.status_code == 503
        assert refusal.value.response.headers["Retry-After"] == "2"
    finally:
        gate.set()
        entering.join()
        assert get(f"{base}/readyz")[0] == 200
        server.__exit__()


def test_an_engine_that_cannot_be_loaded_is_an_error_of_ours() -> None:
    def load() -> Scripted:
        raise ConfigurationError("no such model")

    settings = Settings(port=0)
    with (
        pytest.raises(ConfigurationError, match="no such model"),
        EmbeddedServer(Server(settings, engine=load, detector=Loudness), settings),
    ):
        pass


def test_the_inference_path_never_answers_plain_http_with_success() -> None:
    with serving() as server:
        status, body = get(server.url.replace("ws://", "http://"))
        assert status == 426
        assert "WebSocket" in body["message"]
