"""What the README says, done as it says."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hearline.config import Settings
from hearline.server.app import Server
from hearline.server.running import EmbeddedServer

SPOKEN = "The weather is nice today and the sun is shining."


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


def test_the_first_command_prints_the_words_of_the_example(root: Path, readme: str) -> None:
    (command,) = re.findall(r"^\$ pip install .* && hearline (.*)$", readme, re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-m", "hearline.cli", *command.split()],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == f"{SPOKEN}\n"
    assert f"{command}\n{SPOKEN}\n" in readme


def test_the_sdk_example_runs_as_printed(root: Path, readme: str) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    settings = Settings(port=0)
    with EmbeddedServer(Server(settings), settings) as server:
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=root,
            env={**os.environ, "HEARLINE_URL": server.url},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    lines = done.stdout.splitlines()
    assert lines[0].startswith("partial ")
    assert lines[-1] == f"final   {SPOKEN}"


def test_the_base_install_has_two_dependencies(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[<>=]", text)[0] for text in project["dependencies"]}
    assert names == {"msgspec", "websockets"}


def test_importing_the_sdk_imports_no_more_than_it_needs() -> None:
    program = "import sys, hearline; hearline.Recognition; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"numpy", "asyncio", "websockets", "litestar", "av", "rich", "cyclopts"}


def test_no_tracked_file_names_a_host_of_packages_or_a_folder_of_a_machine(root: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    unwanted = re.compile(r"(?<![\w.])/(?:wor[k]|roo[t])/|index-ur[l] ?=|files\.pythonhos[t]ed")
    for name in filter(None, listed.stdout.split("\0")):
        path = root / name
        if path.suffix != ".wav" and path.is_file():
            assert not unwanted.search(path.read_text(encoding="utf-8")), name
