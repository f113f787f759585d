"""The callback API: misuse, arguments, and the defects of spec 5.5 that are not copied."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from client.drivers import PATIENCE_S, Recorder
from client.fake_server import FakeServer, Talk, failing

from hearline import Recognition, RecognitionCallback
from hearline.errors import (
    AuthenticationError,
    InputRequired,
    InvalidParameter,
    InvalidState,
    ModelRequired,
)

STARTED = r"^Speech recognition has started\.$"
STOPPED = r"^Speech recognition has stopped\.$"


def recognition(
    server: FakeServer, callback: RecognitionCallback | None = None, **options: Any
) -> Recognition:
    return Recognition(
        "m", callback or Recorder(), "pcm", 16000, base_address=server.url, **options
    )


def test_the_order_of_calls_is_enforced_with_known_texts() -> None:  # F04
    with FakeServer() as server:
        r = recognition(server)
        for call in (r.stop, lambda: r.send_audio_frame(b"x"), lambda: r.update_context({})):
            with pytest.raises(InvalidParameter, match=STOPPED):
                call()
        r.start()
        with pytest.raises(InvalidParameter, match=STARTED):
            r.start()
        with pytest.raises(InvalidParameter, match=r"^Speech recognition has been called\.$"):
            r.call(__file__)
        r.stop()
        for call in (r.stop, lambda: r.send_audio_frame(b"x"), lambda: r.update_context({})):
            with pytest.raises(InvalidParameter, match=STOPPED):
                call()


def test_of_eight_starts_and_stops_at_once_one_succeeds() -> None:  # F03, F05
    recorder = Recorder()

    def attempt(call: Callable[[], None]) -> bool:
        try:
            call()
        except InvalidState:
            return False
        return True

    with FakeServer() as server, ThreadPoolExecutor(8) as pool:
        r = recognition(server, recorder)
        assert sorted(pool.map(attempt, [r.start] * 8)) == [False] * 7 + [True]
        assert sorted(pool.map(attempt, [r.stop] * 8)) == [False] * 7 + [True]
        assert recorder.closed.wait(PATIENCE_S)
    assert len(server.talks) == 1
    assert recorder.calls.count("close") == 1


def test_a_buffer_may_be_used_again_as_soon_as_it_is_sent() -> None:  # F10
    with FakeServer() as server:
        r = recognition(server)
        r.start()
        buffer = bytearray(b"a" * 1000)
        r.send_audio_frame(buffer)
        buffer[:] = b"b" * 1000
        r.send_audio_frame(memoryview(buffer)[::2])
        buffer[:] = b"c" * 1000
        r.stop()
    assert server.talk.audio == b"a" * 1000 + b"b" * 500


@pytest.mark.parametrize("wrong", ["text", None, 7, [1], {"a": 1}])
def test_what_is_no_audio_is_refused_and_harms_nothing(wrong: Any) -> None:  # F11
    recorder = Recorder()
    with FakeServer() as server:
        r = recognition(server, recorder)
        r.start()
        with pytest.raises(TypeError, match="Audio must be bytes"):
            r.send_audio_frame(wrong)
        r.send_audio_frame(b"x")
        r.stop()
    assert server.talk.audio == b"x"
    assert recorder.calls[-2:] == ["complete", "close"]


def test_frames_of_many_threads_keep_each_threads_order() -> None:  # F09, smaller
    def send(name: int) -> None:
        for number in range(100):
            r.send_audio_frame(bytes([name, number]))

    with FakeServer() as server, ThreadPoolExecutor(8) as pool:
        r = recognition(server)
        r.start()
        list(pool.map(send, range(8)))
        r.stop()
    for name in range(8):
        assert [p[1] for p in server.talk.packets if p[0] == name] == list(range(100))
    assert len(server.talk.packets) == 800


def test_no_key_for_a_distant_server_raises_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # F01
    monkeypatch.setenv("HOME", str(tmp_path))
    recorder = Recorder()
    r = Recognition("m", recorder, "pcm", 16000, base_address="wss://asr.example/x")
    threads = threading.active_count()
    with pytest.raises(AuthenticationError, match="No API key provided"):
        r.start()
    with pytest.raises(AuthenticationError, match="No API key provided"):
        r.call(__file__)
    assert recorder.calls == []
    assert threading.active_count() == threads


def test_required_arguments_are_required_with_known_texts() -> None:
    with pytest.raises(ModelRequired, match=r"^Model is required!$"):
        Recognition("", None, "pcm", 16000)
    with pytest.raises(InputRequired, match=r"^format is required!$"):
        Recognition("m", None, None, 16000)
    with pytest.raises(InputRequired, match=r"^sample_rate is required!$"):
        Recognition("m", None, "pcm", None)
    with pytest.raises(InputRequired, match="Please set the callback"):
        Recognition("m", None, "pcm", 16000).start()
    with pytest.raises(InvalidParameter, match="Invalid deadlines 3"):
        Recognition("m", Recorder(), "pcm", 16000, deadlines=3).start()
    with pytest.raises(InvalidParameter, match="Invalid argument"):
        Recognition("m", Recorder(), "pcm", 16000, headers="x").start()


def test_a_used_object_starts_again_as_a_new_task() -> None:
    recorder = Recorder()
    with FakeServer() as server:
        r = recognition(server, recorder)
        ids = [r.get_last_request_id()]
        for _ in range(2):
            r.start()
            r.send_audio_frame(b"x")
            r.stop()
            ids.append(r.get_last_request_id())
    assert [talk.task_id for talk in server.talks] == ids[1:]
    assert ids[0] == ids[1] != ids[2]
    assert {result.request_id for result in recorder.results} == set(ids)
    assert recorder.calls == ["open", "event", "event", "complete", "close"] * 2


def test_options_of_start_count_over_those_of_the_object_for_one_task() -> None:
    with FakeServer() as server:
        r = recognition(server, heartbeat=False, max_sentence_silence=800)
        r.start(phrase_id="p-1", heartbeat=True, max_sentence_silence=None, pre_task_id="x")
        r.stop()
        r.start()
        r.stop()
    first, second = (talk.run_task for talk in server.talks)
    assert first["parameters"] == {"format": "pcm", "sample_rate": 16000, "heartbeat": True}
    assert first["resources"] == [{"resource_id": "p-1", "resource_type": "asr_phrase"}]
    assert second["parameters"]["max_sentence_silence"] == 800
    assert "resources" not in second


def test_context_goes_out_among_the_audio() -> None:
    context = {"context": [{"role": "user", "content": []}]}
    with FakeServer() as server:
        r = recognition(server)
        r.start()
        r.send_audio_frame(b"x")
        r.update_context(context)
        with pytest.raises(InvalidParameter, match=r"^Context is required\.$"):
            r.update_context(None)  # type: ignore[arg-type]
        r.stop()
    assert server.talk.actions == ["run-task", "continue-task", "finish-task"]
    assert server.talk.heard[1]["payload"]["input"] == context


def test_delays_are_measured_as_documented_or_none() -> None:
    def slow(talk: Talk) -> None:
        talk.start()
        talk.partial("")
        talk.hear_audio()
        time.sleep(0.1)
        talk.partial("text")
        talk.hear_finish()
        time.sleep(0.2)
        talk.finish()
        talk.hear_close()

    with FakeServer(slow) as server:
        r = recognition(server)
        assert r.get_first_package_delay() is None
        assert r.get_last_package_delay() is None
        r.start()
        r.send_audio_frame(b"x")
        time.sleep(0.2)
        r.stop()
    first, last = r.get_first_package_delay(), r.get_last_package_delay()
    assert first is not None
    assert last is not None
    assert 100 <= first < 190 < last


def test_the_last_response_is_the_error_if_there_was_one() -> None:
    with FakeServer(failing) as server:
        recorder = Recorder()
        r = recognition(server, recorder)
        assert r.get_response() is None
        r.start()
        r.send_audio_frame(b"x")
        assert recorder.closed.wait(PATIENCE_S)
        response = r.get_response()
    assert response is not None
    assert response == recorder.error
    assert response.code == "InternalError"
