"""Programs written for DashScope run as they are; each in a process of its own.

The distribution is not installed here: it owns the name `dashscope`.
"""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from client.fake_server import FakeServer

HERE = Path(__file__).parent
RunProgram: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(root: Path, tmp_path: Path) -> RunProgram:
    """Run a program beside a recording, with the compatible package importable."""
    (tmp_path / "asr_example.wav").write_bytes(b"RIFF" + bytes(9996))

    def run_program(program: Path | str, **environment: str) -> subprocess.CompletedProcess[str]:
        arguments = [program] if isinstance(program, Path) else ["-c", textwrap.dedent(program)]
        paths = [root / "compat/dashscope/src", HERE / "devices"]
        keep = {
            name: os.environ[name]
            for name in ("PATH", "COVERAGE_PROCESS_START")
            if name in os.environ
        }
        return subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            env={
                **keep,
                "HOME": str(tmp_path),
                "PYTHONPATH": os.pathsep.join(map(str, paths)),
                **environment,
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run_program


def test_a_file_in_one_call(run: RunProgram) -> None:
    with FakeServer() as server:
        done = run(
            HERE / "samples/file_call.py",
            DASHSCOPE_API_KEY="sk-env",
            DASHSCOPE_WEBSOCKET_BASE_URL=server.url,
        )
    assert done.stdout.splitlines() == [
        "sentences: ['10000 bytes']",
        "same id: True",
        "first package: True",
        "last package: True",
    ]
    assert done.stderr == ""
    assert server.talk.headers["Authorization"] == "Bearer sk-env"
    assert server.talk.run_task["parameters"]["language_hints"] == ["en"]


def test_a_file_as_a_stream(run: RunProgram) -> None:
    with FakeServer() as server:
        done = run(HERE / "samples/file_stream.py", SERVER_URL=server.url, DASHSCOPE_API_KEY="no")
    assert done.stdout.splitlines() == [
        "text: so far",
        "text: 10000 bytes",
        f"end: {server.talk.task_id} {{'duration': 1}}",
        "complete",
    ]
    assert done.stderr == ""
    assert server.talk.headers["Authorization"] == "Bearer sk-from-the-program"


def test_a_microphone_until_control_c(run: RunProgram) -> None:
    with FakeServer() as server:
        done = run(HERE / "samples/microphone.py", DASHSCOPE_WEBSOCKET_BASE_URL=server.url)
    assert done.stdout.splitlines() == [
        "open",
        "text: so far",
        "text: 32000 bytes",
        "complete",
        "close",
        "stopped, microphones left open: 0",
    ]
    assert done.stderr == ""
    assert done.returncode == 0


def test_a_microphone_is_not_even_opened_for_a_server_that_refuses(run: RunProgram) -> None:
    with FakeServer(refusal=(401, '{"code":"InvalidApiKey","message":"Wrong key."}')) as server:
        done = run(HERE / "samples/microphone.py", DASHSCOPE_WEBSOCKET_BASE_URL=server.url)
    assert done.stdout.splitlines() == ["error: Wrong key.", "close"]
    assert "Speech recognition has stopped." in done.stderr


def test_the_environment_is_read_at_import_and_names_set_later_count(run: RunProgram) -> None:
    program = """
        import dashscope
        print(dashscope.api_key, dashscope.base_websocket_api_url, dashscope.base_http_api_url)
        from dashscope.audio.asr import Recognition
        from dashscope.common.error import AuthenticationError, DashScopeException, InvalidParameter
        assert issubclass(InvalidParameter, DashScopeException)
        assert Recognition.SILENCE_TIMEOUT_S == 23
        recognition = Recognition("m", None, "pcm", 16000)
        dashscope.base_websocket_api_url = "wss://asr.example/x"
        try:
            recognition.call("asr_example.wav")
        except AuthenticationError as error:
            print(error)
        dashscope.base_websocket_api_url = "ws://127.0.0.1:1/x"
        print(recognition.call("asr_example.wav").message)
    """
    plain = run(program).stdout.splitlines()
    assert plain[0] == (
        "None wss://dashscope.aliyuncs.com/api-ws/v1/inference https://dashscope.aliyuncs.com/api/v1"
    )
    assert plain[1].startswith("No API key provided for wss://asr.example/x")
    assert plain[2].startswith("Cannot connect to ws://127.0.0.1:1/x")
    told = run(
        "import dashscope; print(dashscope.api_key, dashscope.base_websocket_api_url)",
        DASHSCOPE_API_KEY="sk-1",
        DASHSCOPE_API_REGION="eu-central-1",
    )
    assert told.stdout == (
        "sk-1 wss://{workspace_id}.eu-central-1.maas.aliyuncs.com/api-ws/v1/inference\n"
    )


def test_everything_the_guide_imports_is_there(run: RunProgram) -> None:
    done = run("""
        from dashscope.audio.asr import *
        print(sorted(name for name in globals() if name[0] != "_"))
    """)
    assert done.stdout == "['Recognition', 'RecognitionCallback', 'RecognitionResult']\n"
