"""Fixtures for the SDK's tests: both shells, and no thread left behind."""

import threading
import time
from collections.abc import Iterator

import pytest
from client.drivers import Driver, drive_aio, drive_sync

THREADS_END_S = 5.0


@pytest.fixture(params=[drive_sync, drive_aio], ids=["sync", "aio"])
def drive(request: pytest.FixtureRequest) -> Driver:
    """Run a task by one of the two shells."""
    return request.param


@pytest.fixture(autouse=True)
def no_thread_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test ends with the threads it began with, and without the caller's environment."""
    for name in ("HEARLINE_API_KEY", "HEARLINE_URL", "DASHSCOPE_API_KEY", "DASHSCOPE_WORKSPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + THREADS_END_S
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left
