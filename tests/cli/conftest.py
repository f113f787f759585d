"""Fixtures for the command line: the real command, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kit import serving, silence, to_pcm, tone

from hearline.engines.scripted import Scripted, saying

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment that says nothing about servers and keys."""
    ours = ("HEARLINE_", "DASHSCOPE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"HOME": str(tmp_path)}


@pytest.fixture
def hearline(environment: dict[str, str], tmp_path: Path) -> Command:
    """Run a command line, in an empty folder."""

    def run(*arguments: object, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "hearline.cli", *map(str, arguments)],
            capture_output=True,
            check=False,
            cwd=tmp_path,
            encoding="utf-8",
            env=environment | variables,
            timeout=60,
        )

    return run


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server that says "one two three four", and knows English only."""
    engine = Scripted(saying("one two three four"))
    engine.languages = frozenset({"en"})
    with serving(engine=engine) as running:
        yield running.url


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of noise between silences, 3 s in all, that a scripted server takes for speech."""
    path = tmp_path_factory.mktemp("audio") / "tone.raw"
    path.write_bytes(to_pcm(silence(0.5), tone(1), silence(1.5)))
    return path


@pytest.fixture(scope="module")
def locked() -> Iterator[str]:
    """The address of a server whose key is "right"."""
    with serving(saying("one two three four"), api_key="right") as running:
        yield running.url
