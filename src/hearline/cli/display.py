"""What a person sees on standard error meanwhile: a progress bar, and complaints."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


def complain(message: str) -> None:
    """Write one line to standard error, whatever characters the message holds."""
    line = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    print(f"hearline: {line}", file=sys.stderr)  # noqa: T201 - this is where it is said


class Display:
    """Shows nothing: what scripts get, and the base of what people get."""

    def begin(self, name: str, duration_ms: int | None) -> None:
        """Begin to show a recording, whose length may not be known."""

    def heard(self, time_ms: int) -> None:
        """Show that the recording is recognised up to here."""

    @contextmanager
    def aside(self) -> Generator[None]:
        """Make room on the terminal for other text."""
        yield


class _Bar(Display):
    """A bar for the recording at hand; colours are rich's to choose, which honours NO_COLOR."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._task = progress.add_task("starting", total=None)

    def begin(self, name: str, duration_ms: int | None) -> None:
        self._progress.reset(self._task, description=name, total=duration_ms)

    def heard(self, time_ms: int) -> None:
        self._progress.update(self._task, completed=time_ms)

    @contextmanager
    def aside(self) -> Generator[None]:
        self._progress.stop()
        yield
        self._progress.start()


@contextmanager
def open_display() -> Generator[Display]:
    """Show progress while the context lasts, if standard error is a terminal."""
    if not sys.stderr.isatty():
        yield Display()
        return
    from rich.console import Console  # noqa: PLC0415 - only where somebody looks
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    progress = Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,  # it would send results to standard error
        redirect_stderr=False,
    )
    with progress:
        yield _Bar(progress)
