"""Callbacks: their order and threads, and what they may do to the session: nothing."""

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from client.drivers import PATIENCE_S, Doing, Recorder
from client.fake_server import FakeServer, RawServer, Talk, endless, failing, obedient

from hearline import Deadlines, Recognition, RecognitionCallback
from hearline.errors import InvalidState, TransportTimeout

STOPPED = r"^Speech recognition has stopped\.$"
CALLBACKS = ["on_open", "on_event", "on_complete", "on_error", "on_close"]


def recognition(
    server: FakeServer, callback: RecognitionCallback | None = None, **options: Any
) -> Recognition:
    return Recognition(
        "m", callback or Recorder(), "pcm", 16000, base_address=server.url, **options
    )


def boom() -> None:
    raise ZeroDivisionError("the callback's own fault")


def test_callbacks_come_in_order_and_one_after_the_other() -> None:
    recorder = Recorder()
    with FakeServer() as server:
        r = recognition(server, recorder)
        r.start()
        assert recorder.calls == ["open"]  # it has run before `start` returns (spec 12)
        r.send_audio_frame(b"\0" * 3200)
        r.stop()
    assert recorder.calls == ["open", "event", "event", "complete", "close"]
    assert recorder.threads[0] is threading.current_thread()
    assert len(set(recorder.threads[1:])) == 1
    assert all(thread.daemon for thread in recorder.threads[1:])


def test_an_open_that_the_server_refuses_is_no_open() -> None:
    recorder = Recorder()
    with FakeServer(refusal=(401, "")) as server:
        r = recognition(server, recorder)
        r.start()
    assert recorder.calls == ["error", "close"]
    with pytest.raises(InvalidState, match=STOPPED):
        r.send_audio_frame(b"x")
    with pytest.raises(InvalidState, match=STOPPED):
        r.stop()


@pytest.mark.parametrize("where", CALLBACKS)
@pytest.mark.parametrize("script", [obedient, failing])
def test_stopping_inside_a_callback_neither_raises_nor_blocks(
    where: str, script: Callable[[Talk], None], caplog: pytest.LogCaptureFixture
) -> None:  # F06
    with FakeServer(script) as server:
        recorder = Doing(where, lambda: r.stop())  # noqa: PLW0108 - made after its callback
        r = recognition(server, recorder, deadlines=Deadlines(silence_s=0.3, progress_s=0.5))
        r.start()
        if where != "on_open":
            r.send_audio_frame(b"x")
        assert recorder.closed.wait(PATIENCE_S)
    assert recorder.calls[-1] == "close"
    assert not caplog.records


@pytest.mark.parametrize("where", CALLBACKS[1:])
@pytest.mark.parametrize("script", [obedient, failing])
@pytest.mark.parametrize("action", [boom, sys.exit])
def test_an_exception_in_a_callback_is_logged_and_hurts_nothing(
    where: str,
    script: Callable[[Talk], None],
    action: Callable[[], object],
    caplog: pytest.LogCaptureFixture,
) -> None:  # F07
    recorder = Doing(where, action)
    with FakeServer(script) as server:
        r = recognition(server, recorder)
        r.start()
        r.send_audio_frame(b"x")
        if script is obedient:
            r.stop()
        assert recorder.closed.wait(PATIENCE_S)
    happened = where.removeprefix("on_")
    recorder.threads[-1].join(PATIENCE_S)
    assert recorder.calls[-1] == "close"
    assert len(caplog.records) == recorder.calls.count(happened)
    assert all(where in record.message for record in caplog.records)


def test_an_exception_in_on_open_is_raised_by_start_and_nothing_follows() -> None:  # F07
    faults = [boom]
    recorder = Doing("on_open", lambda: faults.pop()() if faults else None)
    with FakeServer() as server:
        r = recognition(server, recorder)
        with pytest.raises(ZeroDivisionError):
            r.start()
        with pytest.raises(InvalidState, match=STOPPED):
            r.stop()
        assert recorder.calls == ["open"]
        r.start()
        r.stop()
    assert recorder.calls == ["open", "open", "event", "event", "complete", "close"]


def test_stopping_while_another_thread_still_connects_waits_for_the_verdict() -> None:
    recorder = Recorder()
    with RawServer(None) as server:
        r = Recognition("m", recorder, "pcm", 16000, base_address=server.url, request_timeout=0.5)
        starting = threading.Thread(target=r.start)
        starting.start()
        time.sleep(0.2)
        r.stop()
        assert recorder.calls == ["error", "close"]
        starting.join()


def test_stopping_in_a_signal_handler_in_the_middle_of_a_call_does_not_block() -> None:
    recorder = Recorder()
    with FakeServer() as server:
        r = recognition(server, recorder)
        r.start()
        assert r._conversation is not None
        with r._conversation._hold():  # where a signal may find the main thread
            r.stop()
        assert recorder.closed.wait(PATIENCE_S)
    assert recorder.calls[-2:] == ["complete", "close"]


def test_stop_with_a_timeout_ends_the_task_when_the_time_is_over() -> None:
    recorder = Recorder()
    with FakeServer(endless) as server:
        r = recognition(server, recorder)
        r.start()
        began = time.monotonic()
        with pytest.raises(TransportTimeout, match=r"within 0\.2 seconds"):
            r.stop(timeout=0.2)
        assert time.monotonic() - began < 1
    assert recorder.calls == ["open", "error", "close"]


def test_as_a_context_manager_it_starts_and_stops() -> None:
    recorder = Recorder()
    with FakeServer() as server, recognition(server, recorder) as r:
        r.send_audio_frame(b"x")
    assert recorder.calls == ["open", "event", "event", "complete", "close"]


def test_a_context_left_by_an_exception_does_not_wait_for_results() -> None:
    recorder = Recorder()

    began = time.monotonic()
    with (
        FakeServer(endless) as server,
        pytest.raises(ZeroDivisionError),
        recognition(server, recorder),
    ):
        boom()
    assert time.monotonic() - began < 1
    assert recorder.calls == ["open", "error", "close"]


def test_a_slow_callback_delays_neither_audio_nor_pings() -> None:  # F08, smaller
    def pinging(talk: Talk) -> None:
        talk.start()
        for number in range(5):
            talk.partial(str(number))
        assert talk.connection.ping().wait(1)
        talk.hear_audio(3200)
        talk.hear_finish()
        talk.finish()
        talk.hear_close()

    recorder = Doing("on_event", lambda: time.sleep(0.05))
    with FakeServer(pinging) as server:
        r = recognition(server, recorder)
        r.start()
        r.send_audio_frame(b"x" * 3200)
        r.stop()
    assert recorder.calls == ["open", *["event"] * 5, "complete", "close"]
