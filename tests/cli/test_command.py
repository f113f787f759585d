"""The command as a whole: help, its documentation, how it starts and how it ends."""

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from hearline import __version__
from hearline.cli.app import app
from hearline.cli.exits import Exit

Command = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def documentation(root: Path) -> str:
    return (root / "docs" / "cli.md").read_text(encoding="utf-8")


def verbs() -> list[str]:
    return [name for name in app if not name.startswith("-")]


@pytest.mark.parametrize("verb", verbs())
def test_every_command_and_option_is_documented(verb: str, documentation: str):
    section = documentation.split(f"## `hearline {verb}", 1)[1].split("\n## ", 1)[0]
    options = {
        name
        for argument in app[verb].assemble_argument_collection()
        for name in argument.names
        if argument.show
    }
    assert options
    assert [name for name in options if f"`{name}" not in section and name != "FILE"] == []


def test_every_exit_status_is_documented(documentation: str):
    for status in Exit:
        assert f"| {status.value} | {status.meaning} |" in documentation


def test_help_needs_no_command_and_no_server(hearline: Command):
    done = hearline()
    assert (done.returncode, done.stderr) == (0, "")
    for verb in verbs():
        assert verb in done.stdout
    for status in Exit:
        assert status.meaning in done.stdout


def test_help_imports_no_command():
    program = (
        "import sys; from hearline.cli import main; main(['--help']); "
        "print([name for name in ('numpy', 'websockets', 'litestar') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, encoding="utf-8"
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_version(hearline: Command):
    assert hearline("--version").stdout == f"{__version__}\n"


def test_serve_says_where_it_listens_and_never_its_key(environment: dict[str, str]):
    command = [sys.executable, "-m", "hearline.cli", "serve", "--port", "0"]
    with subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment | {"HEARLINE_API_KEY": "secret-key"},
    ) as process:
        assert process.stderr is not None
        greeting = "".join(process.stderr.readline() for _ in range(3))
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(30) == Exit.INTERRUPTED
    address = r"^DASHSCOPE_WEBSOCKET_BASE_URL=ws://127\.0\.0\.1:[1-9]\d*/api-ws/v1/inference$"
    assert re.search(address, greeting, re.MULTILINE)
    assert "pocketsphinx" in greeting
    assert "secret-key" not in greeting + rest
    assert "Traceback" not in rest


def test_an_interrupted_transcription_ends_at_once(
    environment: dict[str, str], server: str, tmp_path: Path
):
    pipe = tmp_path / "endless.raw"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "hearline.cli", "transcribe", str(pipe), "--server", server]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, encoding="utf-8", env=environment
    ) as process:
        with pipe.open("wb") as source:
            source.write(bytes(64_000))
            source.flush()
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == Exit.INTERRUPTED
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_terminal_gets_a_progress_bar_and_standard_output_only_results(
    environment: dict[str, str], server: str, recording: Path
):
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "hearline.cli", "transcribe", str(recording)]
    done = subprocess.run(
        [*command, "--server", server],
        check=True,
        env=environment | {"TERM": "xterm", "NO_COLOR": "1"},
        stderr=slave,
        stdout=subprocess.PIPE,
    )
    os.close(slave)
    with os.fdopen(master, "rb", buffering=0) as terminal:
        shown = terminal.read(65_536).decode()
    assert done.stdout == b"one two three four\n"
    assert recording.name in shown
    assert re.search(r"\d+%", shown)
    assert re.search(r"\x1b\[[1-9][0-9;]*m", shown) is None


def test_output_that_nobody_reads_any_more_is_no_error(
    environment: dict[str, str], server: str, recording: Path
):
    command = [
        sys.executable,
        "-m",
        "hearline.cli",
        "transcribe",
        str(recording),
        "--server",
        server,
    ]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(30) == Exit.UNREAD


def test_output_that_cannot_be_written_is_said(
    environment: dict[str, str], server: str, recording: Path
):
    command = [
        sys.executable,
        "-m",
        "hearline.cli",
        "transcribe",
        str(recording),
        "--server",
        server,
    ]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command,
            check=False,
            encoding="utf-8",
            env=environment,
            stderr=subprocess.PIPE,
            stdout=full,
        )
    assert done.returncode == Exit.FAILED
    assert done.stderr == "hearline: cannot write: No space left on device.\n"
