"""Fixtures for all tests."""

import os
import signal
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job ignores interrupts, and so would every program that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Material that is not part of the repository: speech, models, examples of the protocol."""
    path = Path(os.environ.get("HEARLINE_SHARED", ROOT.parent / "shared"))
    if not path.is_dir():
        pytest.skip(f"no shared material: set HEARLINE_SHARED (looked at {path.name}/)")
    return path


@pytest.fixture(scope="session")
def speech(shared: Path) -> Path:
    """Recordings of real speech."""
    return shared / "speech"
