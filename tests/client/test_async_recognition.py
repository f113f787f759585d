"""The asyncio API: typed results, cancellation, leaving early."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from client.fake_server import FakeServer, Talk, endless, obedient

from hearline import AsyncRecognition, Sentence, Usage, Word
from hearline.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLost,
    HearlineError,
    InvalidState,
    ModelRequired,
    TaskFailed,
)

PATIENCE_S = 20.0


def session(server: FakeServer, **options: object) -> AsyncRecognition:
    return AsyncRecognition(
        model="m", format="pcm", sample_rate=16000, base_address=server.url, **options
    )


def run(body: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await body()

    asyncio.run(bounded(), debug=True)


def test_results_are_typed_and_immutable() -> None:
    async def body() -> None:
        async with session(server) as s:
            await s.feed([b"x" * 10])
            sentences = [sentence async for sentence in s]
        assert sentences[-1] == Sentence(
            sentence_id=1,
            begin_time=0,
            end_time=900,
            text="10 bytes",
            sentence_end=True,
            words=(Word(begin_time=0, end_time=900, text="10 bytes"),),
        )
        assert s.usage == Usage(duration=1)
        assert s.request_id == server.talk.task_id
        with pytest.raises(AttributeError):
            sentences[0].text = "other"  # type: ignore[misc]

    with FakeServer() as server:
        run(body)


def test_feeding_and_reading_run_side_by_side_as_documented() -> None:
    async def microphone() -> AsyncIterator[bytes]:
        for _ in range(5):
            await asyncio.sleep(0.01)
            yield b"x" * 100

    async def body() -> None:
        async with session(server) as s, asyncio.TaskGroup() as group:
            group.create_task(s.feed(microphone()))
            texts = [sentence.text async for sentence in s]
        assert texts == ["so far", "500 bytes"]

    with FakeServer() as server:
        run(body)


def test_results_come_while_nothing_is_sent() -> None:
    def talkative(talk: Talk) -> None:
        talk.start()
        talk.partial("hello")
        talk.hear_close()

    async def body() -> None:
        async with session(server) as s:
            assert (await anext(aiter(s))).text == "hello"

    with FakeServer(talkative) as server:
        run(body)


def test_leaving_early_closes_the_connection_at_once() -> None:
    async def body() -> None:
        began = asyncio.get_running_loop().time()
        async with session(server) as s:
            await s.send_audio(b"x")
        assert asyncio.get_running_loop().time() - began < 1
        assert len(asyncio.all_tasks()) == 1

    with FakeServer(endless) as server:
        run(body)
    assert "finish-task" not in server.talk.actions


@pytest.mark.parametrize("where", ["reading", "sending", "opening"])
def test_it_can_be_cancelled_wherever_it_waits(where: str) -> None:
    def deaf(talk: Talk) -> None:
        if where == "opening":
            return
        talk.hear()
        released.wait(PATIENCE_S)

    async def wait() -> None:
        async with session(server) as s:
            if where == "sending":
                await s.send_audio(bytes(64 << 20))
            async for _ in s:
                pass

    async def body() -> None:
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0 if where == "opening" else 0.2)
        began = asyncio.get_running_loop().time()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert asyncio.get_running_loop().time() - began < 3
        assert len(asyncio.all_tasks()) == 1
        released.set()

    released = threading.Event()
    with FakeServer(deaf) as server:
        run(body)


def test_a_cancelled_read_loses_no_sentence() -> None:
    def slow(talk: Talk) -> None:
        talk.start()
        talk.hear_audio()
        talk.final("late")
        talk.hear_close()

    async def body() -> None:
        async with session(server) as s:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await anext(s)
            await s.send_audio(b"x")
            assert (await anext(s)).text == "late"

    with FakeServer(slow) as server:
        run(body)


def test_the_error_that_ends_the_task_is_raised_by_reading_and_by_sending() -> None:
    def failing(talk: Talk) -> None:
        talk.start()
        talk.fail("Throttling.RateQuota", "Later.")
        talk.hear_close()

    async def body() -> None:
        async with session(server) as s:
            for _ in range(2):
                with pytest.raises(TaskFailed, match=r"^Later") as caught:
                    await anext(s)
                assert caught.value.reported_code == "Throttling.RateQuota"
            for call in (s.send_audio(b"x"), s.finish(), s.update_context({})):
                with pytest.raises(TaskFailed, match=r"^Later"):
                    await call
            await s.feed([b"x"])  # quietly: the error is raised once, where results are read

    with FakeServer(failing) as server:
        run(body)


def test_a_lost_connection_is_raised_as_such() -> None:
    def leaving(talk: Talk) -> None:
        talk.start()

    async def body() -> None:
        async with session(server) as s:
            with pytest.raises(ConnectionLost, match="1000"):
                await anext(s)

    with FakeServer(leaving) as server:
        run(body)


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, AuthenticationError), (403, AuthenticationError), (503, ConnectError)],
)
def test_a_refusal_is_raised_on_entering(status: int, error: type[HearlineError]) -> None:
    async def body() -> None:
        with pytest.raises(error) as caught:
            async with session(server):
                pass
        assert getattr(caught.value, "status", status) == status

    with FakeServer(refusal=(status, "")) as server:
        run(body)


def test_misuse_is_told() -> None:
    async def body() -> None:
        s = session(server)
        with pytest.raises(InvalidState, match="has stopped"):
            await s.send_audio(b"x")
        async with s:
            with pytest.raises(InvalidState, match="has started"):
                await s.__aenter__()
            with pytest.raises(TypeError, match="Audio must be bytes"):
                await s.send_audio("x")  # type: ignore[arg-type]
            await s.finish()
            for call in (s.finish(), s.send_audio(b"x"), s.feed([b"x"])):
                with pytest.raises(InvalidState, match="has stopped"):
                    await call
            assert [sentence.text async for sentence in s] == ["so far", "0 bytes"]
            assert [sentence async for sentence in s] == []

    with FakeServer(obedient) as server:
        run(body)
    with pytest.raises(ModelRequired):
        AsyncRecognition(model="", format="pcm", sample_rate=16000)
