"""The official dashscope wheels, unchanged, in processes of their own, against this server.

Only the environment tells them where to connect. They are found in `HEARLINE_OFFICIAL` (default
``.venv/official``), one folder a version, as ``scripts/test`` installs them. Hearline's own
``dashscope`` package goes through the same programs as theirs.
"""

import json
import os
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit import serving, silence, to_pcm, tone

from hearline.config import Settings
from hearline.server.app import Server
from hearline.server.running import EmbeddedServer

pytestmark = pytest.mark.official

KEY = "sk-official"
CLIENTS = [("2.0.2", "call"), ("2.0.2", "stream"), ("2.0.2", "v2"), ("1.26.2", "call")]
CLIENTS += [("1.26.2", "stream"), ("ours", "call"), ("ours", "stream")]


@pytest.fixture(params=CLIENTS, ids="-".join)
def client(request: pytest.FixtureRequest, root: Path) -> tuple[Path, str]:
    """A wheel's folder and the way to use it."""
    version, mode = request.param
    if version == "ours":
        return root / "compat" / "dashscope" / "src", mode
    return wheel(root, version), mode


def wheel(root: Path, version: str) -> Path:
    """The folder of an official wheel; without it the test is skipped."""
    folder = Path(os.environ.get("HEARLINE_OFFICIAL", root / ".venv" / "official")) / version
    if not folder.is_dir():
        pytest.skip(f"no dashscope {version}: scripts/test installs it")
    return folder


def run(client: tuple[Path, str], url: str, file: Path, *, key: str = KEY) -> dict[str, Any]:
    """What an official client says of a file."""
    folder, mode = client
    environment = {name: value for name, value in os.environ.items() if "DASHSCOPE" not in name}
    environment |= {
        "PYTHONPATH": str(folder),
        "DASHSCOPE_WEBSOCKET_BASE_URL": url,
        "DASHSCOPE_API_KEY": key,
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("client.py")), mode, str(file)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def tones() -> Iterator[EmbeddedServer]:
    with serving(api_key=KEY) as server:
        yield server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two tones with a pause that parts them: "tone 440", "tone 600"."""
    path = tmp_path / "tones.wav"
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16000)
        writer.writeframes(to_pcm(tone(1.0, 440), silence(1.6), tone(1.0, 600), silence(0.3)))
    return path


def test_words_times_usage_and_callbacks(
    client: tuple[Path, str], tones: EmbeddedServer, file: Path
) -> None:
    result = run(client, tones.url, file)
    sentences = result["sentences"]
    assert [sentence["text"] for sentence in sentences] == ["tone 440", "tone 600"]
    assert [sentence["sentence_id"] for sentence in sentences] == [1, 2]
    for sentence, (begin, end) in zip(sentences, [(0, 1000), (2600, 3600)], strict=True):
        assert abs(sentence["begin_time"] - begin) < 40
        assert abs(sentence["end_time"] - end) < 40
        assert "".join(word["text"] for word in sentence["words"]) == sentence["text"]
    assert result["usage"] == {"duration": 4}
    match client[1]:
        case "call":
            assert (result["status"], result["code"], result["message"]) == (200, "", "")
            assert result["same_id"]
        case "stream":
            assert result["calls"][0] == "open"
            assert result["calls"][-2:] == ["complete", "close"]
            assert result["calls"].count("final") == 2
            assert "partial" in result["calls"]
            assert result["first_package_delay"] > 0
        case _:
            assert result["partials"] > 0


def test_tasks_interleaved_on_one_connection(root: Path, tones: EmbeddedServer, file: Path) -> None:
    folder = wheel(root, "2.0.2")
    result = run((folder, "shared"), tones.url, file)
    assert result["texts"] == [["tone 440", "tone 600"]] * 4
    assert result["refusal"] == "another task owns the binary uplink on this connection"


@pytest.mark.slow
def test_real_speech(client: tuple[Path, str], speech: Path, pocketsphinx: EmbeddedServer) -> None:
    result = run(client, pocketsphinx.url, speech / "en" / "cards_005.wav")
    (sentence,) = result["sentences"]
    assert sentence["text"] == "Eight of spades four of clubs seven of hearts."
    assert result["usage"] == {"duration": 4}
    times = [(word["begin_time"], word["end_time"]) for word in sentence["words"]]
    assert times == sorted(times)
    assert 0 <= sentence["begin_time"] <= times[0][0]
    assert times[-1][1] <= sentence["end_time"] <= 3502


@pytest.fixture(scope="module")
def pocketsphinx() -> Iterator[EmbeddedServer]:
    settings = Settings(port=0, api_key=KEY)
    with EmbeddedServer(Server(settings), settings) as server:
        yield server


def test_a_wrong_key_is_told_as_the_cloud_tells_it(
    root: Path, tones: EmbeddedServer, file: Path
) -> None:
    folder = wheel(root, "2.0.2")
    result = run((folder, "call"), tones.url, file, key="sk-wrong")
    assert (result["status"], result["code"]) == (401, 401)
    assert "Unauthorized" in result["message"]
