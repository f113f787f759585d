"""The service over real WebSockets, with the scripted engine."""

import json
import socket
import threading
import time
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from kit import (
    finals,
    finish_task,
    packets,
    pitch_script,
    receive,
    receive_to_end,
    recognise,
    run_task,
    serving,
    silence,
    to_pcm,
    tone,
)
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from hearline.engines.scripted import Line, Scripted
from hearline.server.running import EmbeddedServer
from hearline.speech import Samples
from hearline.wire.server import Deadlines

TWO = to_pcm(tone(1.0, 440), silence(1.5), tone(1.0, 800))


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with serving() as running:
        yield running


def events(messages: list[dict[str, Any]]) -> list[str]:
    return [message["header"]["event"] for message in messages]


def says(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The finals, but for what depends on whether a partial came in time."""
    return [{**sentence, "sentence_begin": None} for sentence in finals(messages)]


def test_a_task_says_its_sentences_and_finishes(server: EmbeddedServer) -> None:
    messages = recognise(server.url, TWO)
    assert events(messages)[0] == "task-started"
    assert events(messages)[-1] == "task-finished"
    assert [s["text"] for s in finals(messages)] == ["tone 440", "tone 800"]
    assert [s["sentence_id"] for s in finals(messages)] == [1, 2]


def test_every_message_is_what_official_clients_need(server: EmbeddedServer) -> None:
    messages = recognise(server.url, TWO)
    for message in messages:
        assert message["header"]["task_id"] == "t1"
        assert message["header"]["attributes"] == {}
    assert messages[0]["payload"] == {}
    assert messages[-1]["payload"] == {"output": {}, "usage": None}
    for message in messages[1:-1]:
        sentence = message["payload"]["output"]["sentence"]
        assert {"begin_time", "end_time", "text", "sentence_end", "sentence_id"} <= set(sentence)
        assert sentence["sentence_end"] == (sentence["end_time"] is not None)
        assert (message["payload"]["usage"] is not None) == sentence["sentence_end"]
        assert "".join(w["text"] + w["punctuation"] for w in sentence["words"]) == sentence["text"]


def test_usage_is_the_audio_received_in_whole_seconds(server: EmbeddedServer) -> None:
    messages = recognise(server.url, TWO)
    usages = [m["payload"]["usage"] for m in messages if m["payload"].get("usage")]
    assert usages[-1] == {"duration": 4}


def test_each_sentence_begins_once(server: EmbeddedServer) -> None:
    messages = recognise(server.url, TWO)
    sentences = [m["payload"]["output"]["sentence"] for m in messages[1:-1]]
    begun = [s["sentence_id"] for s in sentences if s["sentence_begin"]]
    assert begun == [1, 2]


@pytest.mark.parametrize("size", [100, 3200, 1_000_000])
def test_the_finals_do_not_depend_on_the_packets(server: EmbeddedServer, size: int) -> None:
    assert says(recognise(server.url, TWO, size=size)) == says(recognise(server.url, TWO))


@pytest.mark.slow
def test_the_finals_do_not_depend_on_the_packets_of_one_byte(server: EmbeddedServer) -> None:
    assert says(recognise(server.url, TWO, size=1)) == says(recognise(server.url, TWO))


def test_twenty_sessions_at_once_get_their_own_words(server: EmbeddedServer) -> None:
    def one(hertz: int) -> list[str]:
        audio = to_pcm(tone(1.5, hertz), silence(1.5), tone(1.0, hertz + 10))
        return [s["text"] for s in finals(recognise(server.url, audio, task_id=f"t{hertz}"))]

    pitches = range(200, 1200, 50)
    with ThreadPoolExecutor(len(pitches)) as pool:
        for hertz, texts in zip(pitches, pool.map(one, pitches), strict=True):
            assert texts == [f"tone {hertz}", f"tone {hertz + 10}"]


def test_both_spellings_of_the_path_are_served(server: EmbeddedServer) -> None:
    assert says(recognise(server.url + "/", TWO)) == says(recognise(server.url, TWO))


def test_several_tasks_follow_each_other_on_one_connection(server: EmbeddedServer) -> None:
    with connect(server.url) as connection:
        for number, hertz in enumerate((300, 500, 500)):
            connection.send(run_task(f"t{min(number, 1)}"))
            connection.send(to_pcm(tone(1.0, hertz)))
            connection.send(finish_task(f"t{min(number, 1)}"))
            connection.send(b"late")
            connection.send(finish_task(f"t{min(number, 1)}"))
            assert finals(receive_to_end(connection))[0]["text"] == f"tone {hertz}"


def test_empty_and_odd_packets_are_fine(server: EmbeddedServer) -> None:
    with connect(server.url) as connection:
        connection.send(run_task())
        for packet in packets(TWO, 3333):
            connection.send(packet)
            connection.send(b"")
        connection.send(finish_task())
        texts = [s["text"] for s in finals(receive_to_end(connection))]
    assert texts == ["tone 440", "tone 800"]


@pytest.mark.parametrize(
    ("task", "code", "text"),
    [
        (run_task(model="whisper"), "ModelNotFound", "'whisper'"),
        (run_task(sample_rate=1), "InvalidParameter", "[8000, 96000]"),
        (run_task(format="amr"), "UNSUPPORTED_FORMAT", "'amr'"),
        (run_task(format="doc"), "InvalidParameter", "'doc'"),
        ("nonsense", "InvalidParameter", "not JSON"),
        (finish_task(), "InvalidParameter", "run-task"),
    ],
)
def test_a_task_that_cannot_be_is_refused_before_any_audio(
    server: EmbeddedServer, task: str, code: str, text: str
) -> None:
    with connect(server.url) as connection:
        connection.send(task)
        header = receive(connection)["header"]
        assert header["event"] == "task-failed"
        assert header["error_code"] == code
        assert text in header["error_message"]
        with pytest.raises(ConnectionClosed):
            connection.recv(timeout=5)


def test_audio_that_is_not_what_was_declared_fails_the_task(server: EmbeddedServer) -> None:
    failure = recognise(server.url, b"OggS" + bytes(8000), format="wav")[-1]
    assert failure["header"]["error_code"] == "UNSUPPORTED_FORMAT"
    assert failure["payload"] == {}


def test_a_task_without_audio_says_so(server: EmbeddedServer) -> None:
    failure = recognise(server.url, b"")[-1]
    assert failure["header"]["error_code"] == "NO_VALID_AUDIO_ERROR"


def test_silence_is_no_error(server: EmbeddedServer) -> None:
    assert events(recognise(server.url, to_pcm(silence(2)))) == ["task-started", "task-finished"]


def test_a_failing_engine_fails_its_own_task_only() -> None:
    def fails_on_high_tones(samples: Samples) -> Line:
        line = pitch_script(samples)
        return Line(failure="cue") if line.text == "tone 900" else line

    with serving(fails_on_high_tones) as server, ThreadPoolExecutor(2) as pool:
        bad = pool.submit(recognise, server.url, to_pcm(tone(3, 900)))
        good = pool.submit(recognise, server.url, to_pcm(tone(3, 300)))
        assert bad.result()[-1]["header"]["error_code"] == "InternalError"
        assert finals(good.result())[0]["text"] == "tone 300"


def test_a_burst_is_slowed_down_not_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hearline.server.realtime._BACKLOG_BYTES", 64 * 1024)

    def slow(samples: Samples) -> Line:
        return Line(text=pitch_script(samples).text, delay_s=0.02)

    with serving(slow) as server:
        audio = to_pcm(*[tone(1.0, 300), silence(1.5)] * 20)
        assert len(finals(recognise(server.url, audio, size=1_000_000))) == 20


def test_a_client_that_is_held_back_is_not_called_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hearline.server.realtime._BACKLOG_BYTES", 64 * 1024)

    def slow(samples: Samples) -> Line:
        return Line(text=pitch_script(samples).text, delay_s=0.1)

    with serving(slow, deadlines=Deadlines(data_s=0.3)) as server:
        audio = to_pcm(*[tone(1.0, 300), silence(1.5)] * 10)
        assert len(finals(recognise(server.url, audio, size=300_000))) == 10


def test_more_sessions_than_the_engine_follows_are_refused_at_once() -> None:
    with serving(engine=Scripted(pitch_script, capacity=1)) as server:
        with connect(server.url) as connection:
            connection.send(run_task())
            assert receive(connection)["header"]["event"] == "task-started"
            (refusal,) = recognise(server.url, b"", task_id="t2")
            assert refusal["header"]["error_code"] == "Throttling.RateQuota"
            assert "1 sessions at once" in refusal["header"]["error_message"]
            connection.send(TWO)
            connection.send(finish_task())
            assert len(finals(receive_to_end(connection))) == 2
        assert len(finals(recognise(server.url, TWO))) == 2


def test_a_client_that_vanishes_frees_its_session() -> None:
    engine = Scripted(pitch_script)
    opened: list[Any] = []
    original = engine.open
    engine.open = lambda hints: opened.append(original(hints)) or opened[-1]  # type: ignore[method-assign]
    with serving(engine=engine) as server:
        with connect(server.url) as connection:
            connection.send(run_task())
            connection.send(to_pcm(tone(2.0)))
            while receive(connection)["header"]["event"] != "result-generated":
                pass
            connection.socket.shutdown(socket.SHUT_RDWR)
        end = time.monotonic() + 5
        while opened[0]._parts:
            assert time.monotonic() < end, "the stream was not closed"
            time.sleep(0.01)
        assert finals(recognise(server.url, TWO))


@pytest.mark.parametrize(
    ("stage", "events_seen", "text"),
    [
        ("nothing", ["task-failed"], "0.2 seconds"),
        ("running", ["task-started", "task-failed"], "request timeout after 0.2 seconds."),
        ("finished", ["task-started", "task-finished"], ""),
    ],
)
def test_a_silent_client_is_not_waited_for(stage: str, events_seen: list[str], text: str) -> None:
    deadlines = Deadlines(first_task_s=0.2, next_task_s=0.2, data_s=0.2)
    with serving(deadlines=deadlines) as server, connect(server.url) as connection:
        if stage != "nothing":
            connection.send(run_task())
        if stage == "finished":
            connection.send(to_pcm(silence(1)))
            connection.send(finish_task())
        messages: list[dict[str, Any]] = []
        with pytest.raises(ConnectionClosed):
            while True:
                messages.append(receive(connection))
        assert events(messages) == events_seen
        assert text in messages[-1]["header"].get("error_message", "")


@pytest.mark.parametrize("value", ["Bearer sk-right", "bearer sk-right"])
def test_the_right_key_opens_the_door(value: str) -> None:
    with (
        serving(api_key="sk-right") as server,
        connect(server.url, additional_headers={"Authorization": value}) as connection,
    ):
        connection.send(run_task())
        assert receive(connection)["header"]["event"] == "task-started"


@pytest.mark.parametrize("value", ["Bearer sk-wrong", "sk-right", "Basic sk-right", None])
def test_a_wrong_key_is_refused_at_the_handshake(value: str | None) -> None:
    headers = {} if value is None else {"Authorization": value}
    with serving(api_key="sk-right") as server, pytest.raises(InvalidStatus) as refusal:
        connect(server.url, additional_headers=headers)
    response = refusal.value.response
    assert response.status_code == 401
    body = json.loads(bytes(response.body or b""))
    assert body["code"] == "InvalidApiKey"
    assert body["message"] == "Invalid API-key provided."
    assert body["request_id"]


def test_a_foreign_path_is_refused(server: EmbeddedServer) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        connect(server.url + "/elsewhere")
    assert refusal.value.response.status_code in (403, 404)


def test_nothing_is_left_of_two_hundred_conversations(server: EmbeddedServer) -> None:
    threads = threading.active_count()
    audio = to_pcm(tone(0.3))
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(lambda number: recognise(server.url, audio, task_id=f"t{number}"), range(200))
        )
    assert threading.active_count() <= threads
    assert server._server._conversations == {}


def test_words_lie_within_their_sentence_in_milliseconds(server: EmbeddedServer) -> None:
    audio = to_pcm(silence(0.5), tone(1.0, 440), silence(0.1))
    (sentence,) = finals(recognise(server.url, audio))
    assert abs(sentence["begin_time"] - 500) < 40
    assert abs(sentence["end_time"] - 1500) < 40
    for word in sentence["words"]:
        assert sentence["begin_time"] <= word["begin_time"] <= word["end_time"]
        assert word["end_time"] <= sentence["end_time"]


def test_a_wav_header_overrules_the_declared_rate(server: EmbeddedServer, tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((tone(1.0, 440, 8000) * 32767).astype("<i2").tobytes())
    (sentence,) = finals(recognise(server.url, path.read_bytes(), format="wav"))
    assert sentence["text"] == "tone 440"
    assert abs(sentence["end_time"] - 1000) < 40
