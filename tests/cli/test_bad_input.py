"""Whatever is wrong: one line that says what and what to do, a status, and no traceback."""

import socket
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Command = Callable[..., "CompletedProcess[str]"]


def assert_refused(done: "CompletedProcess[str]", status: int, *said: str) -> None:
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("hearline: ")
    for part in said:
        assert part in line


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of files that cannot be recognised."""
    (tmp_path / "empty.wav").touch()
    (tmp_path / "notes.txt").write_text("Dear Sir or Madam,\n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (tmp_path / "song.mp3").write_bytes(b"ID3\x04" + bytes(100))
    (tmp_path / "silent.wav").write_bytes(b"RIFF\x04\0\0\0WAVE")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.wav", "no such file"),
        (".", "directory"),
        ("empty.wav", "empty"),
        ("notes.txt", "only wav and raw pcm"),
        ("picture.png", "only wav and raw pcm"),
        ("song.mp3", "only wav and raw pcm"),
        ("silent.wav", "header is incomplete"),
    ],
)
def test_files_that_cannot_be_recognised(hearline: Command, files: Path, name: str, said: str):
    assert_refused(hearline("transcribe", files / name), 1, str(files / name), said)


def test_a_container_that_is_called_headerless(hearline: Command, files: Path, server: str):
    done = hearline("transcribe", files / "song.mp3", "--rate", 16_000, "--server", server)
    assert_refused(done, 1, "song.mp3", "MP3")


def test_a_recording_without_audio(hearline: Command, tmp_path: Path, server: str):
    (tmp_path / "one_byte.raw").write_bytes(b"\0")
    done = hearline("transcribe", "one_byte.raw", "--server", server)
    assert_refused(done, 1, "one_byte.raw")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["transcribe"], "FILE"),
        (["transcribe", "a.wav", "--rate", "0"], "--rate"),
        (["transcribe", "a.wav", "--rate", "fast"], "--rate"),
        (["transcribe", "a.wav", "--silence", "5"], "--silence"),
        (["transcribe", "a.wav", "--frob"], "--frob"),
        (["transcribe", "a.wav", "--format", "doc"], '"srt"'),
        (["transcribe", "a.wav", "b.wav", "--format", "srt"], "one FILE"),
        (["frob"], "transcribe"),
        (["serve", "--port", "99999"], "65535"),
        (["serve", "--host", "192.0.2.1"], "api_key"),
        (["serve", "--config", "missing.toml"], "missing.toml"),
    ],
)
def test_wrong_usage(hearline: Command, arguments: list[str], said: str):
    assert_refused(hearline(*arguments), 2, said)


@pytest.mark.parametrize(
    ("option", "said"),
    [(("--model", "nope"), "scripted"), (("--language", "xx"), "knows en")],
)
def test_what_the_server_does_not_have(
    hearline: Command, recording: Path, server: str, option: tuple[str, str], said: str
):
    done = hearline("transcribe", recording, "--server", server, *option)
    assert_refused(done, 2, f"'{option[1]}'", said)


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "nonsense", "ws://", "ws://host:port/"])
def test_an_address_that_is_none(hearline: Command, recording: Path, url: str):
    assert_refused(hearline("transcribe", recording, "--server", url), 2, "ws://")


def test_no_server_at_the_address(hearline: Command, recording: Path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{unused.getsockname()[1]}/"
        assert_refused(hearline("transcribe", recording, "--server", url), 3, url)


def test_a_wrong_key(hearline: Command, recording: Path, locked: str):
    command = ("transcribe", recording, "--server", locked)
    assert_refused(hearline(*command, HEARLINE_API_KEY="wrong"), 3, "HEARLINE_API_KEY")
    assert_refused(hearline(*command), 3, "HEARLINE_API_KEY")


def test_no_key_for_a_server_elsewhere(hearline: Command, recording: Path):
    done = hearline("transcribe", recording, "--server", "wss://server.invalid/")
    assert_refused(done, 3, "HEARLINE_API_KEY")


def test_an_engine_that_there_is_not(hearline: Command, recording: Path):
    done = hearline("transcribe", recording, HEARLINE_ENGINE="frob")
    assert_refused(done, 2, "'frob'", "pocketsphinx")


def test_an_address_that_is_taken(hearline: Command):
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = hearline("serve", "--port", other.getsockname()[1])
    assert_refused(done, 2, "--port")
