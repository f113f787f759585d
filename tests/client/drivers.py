"""Both shells behind one call, so that one test body can run them."""

import asyncio
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from hearline import AsyncRecognition, HearlineError, Recognition, RecognitionCallback
from hearline.client.results import RecognitionResult, error_result

PATIENCE_S = 20.0


@dataclass
class Outcome:
    """What the caller of a task has seen of it."""

    partials: list[str] = field(default_factory=list)
    finals: list[str] = field(default_factory=list)
    error: RecognitionResult | None = None
    usage_s: int | None = None

    @property
    def code(self) -> str | None:
        return None if self.error is None else self.error.code


class Driver(Protocol):
    """Runs one task from its first packet to its end."""

    def __call__(
        self,
        url: str,
        packets: Iterable[bytes] = (b"\0" * 3200,),
        *,
        quiet: bool = False,
        **options: Any,
    ) -> Outcome:
        """Send the packets, then finish, or say nothing more if `quiet`."""
        ...


class Recorder(RecognitionCallback):
    """Remembers what was called, in which thread, in which order."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.threads: list[threading.Thread] = []
        self.results: list[RecognitionResult] = []
        self.error: RecognitionResult | None = None
        self.closed = threading.Event()

    def on_open(self) -> None:
        self._note("open")

    def on_event(self, result: RecognitionResult) -> None:
        self.results.append(result)
        self._note("event")

    def on_complete(self) -> None:
        self._note("complete")

    def on_error(self, result: RecognitionResult) -> None:
        self.error = result
        self._note("error")

    def on_close(self) -> None:
        self._note("close")
        self.closed.set()

    def _note(self, name: str) -> None:
        self.calls.append(name)
        self.threads.append(threading.current_thread())


class Doing(Recorder):
    """Does something inside one of its methods, after it has noted the call."""

    def __init__(self, where: str, action: Callable[[], object]) -> None:
        super().__init__()
        self._where = where
        self._action = action

    def _note(self, name: str) -> None:
        super()._note(name)
        if self._where == f"on_{name}":
            if name == "close":
                self.closed.set()
            self._action()


def drive_sync(
    url: str, packets: Iterable[bytes] = (b"\0" * 3200,), *, quiet: bool = False, **options: Any
) -> Outcome:
    recorder = Recorder()
    recognition = Recognition(
        "fun-asr-realtime", recorder, "pcm", 16000, base_address=url, **options
    )
    recognition.start()
    try:
        for packet in packets:
            recognition.send_audio_frame(packet)
        if not quiet:
            recognition.stop()
    except HearlineError:
        assert recorder.closed.wait(PATIENCE_S)
    assert recorder.closed.wait(PATIENCE_S)
    verdicts = [call for call in recorder.calls if call in ("complete", "error")]
    assert len(verdicts) == 1
    assert recorder.calls.count("close") == 1
    assert recorder.calls[-2:] == [*verdicts, "close"]
    outcome = Outcome(error=recorder.error)
    for result in recorder.results:
        spoken = result.get_sentence()
        assert isinstance(spoken, dict)
        final = RecognitionResult.is_sentence_end(spoken)
        (outcome.finals if final else outcome.partials).append(spoken["text"])
        outcome.usage_s = (result.usage or {}).get("duration", outcome.usage_s)
    return outcome


def drive_aio(
    url: str, packets: Iterable[bytes] = (b"\0" * 3200,), *, quiet: bool = False, **options: Any
) -> Outcome:
    outcome = Outcome()

    async def talk(session: AsyncRecognition) -> None:
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
            group.create_task(send(session) if quiet else session.feed(packets))
            async for spoken in session:
                (outcome.finals if spoken.sentence_end else outcome.partials).append(spoken.text)

    async def send(session: AsyncRecognition) -> None:
        for packet in packets:
            await session.send_audio(packet)

    async def run() -> None:
        session = AsyncRecognition(
            model="fun-asr-realtime", format="pcm", sample_rate=16000, base_address=url, **options
        )
        try:
            async with session:
                await talk(session)
        except* HearlineError as group:
            assert len(group.exceptions) == 1
            error = group.exceptions[0]
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            assert isinstance(error, HearlineError)
            outcome.error = error_result(error, session.request_id)
        outcome.usage_s = session.usage.duration if session.usage else None

    asyncio.run(run())
    return outcome
