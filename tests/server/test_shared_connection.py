"""Several tasks at once on one real connection, and the ways in which known clients talk."""

import json
from typing import Any

import pytest
from kit import (
    finals,
    finish_task,
    packets,
    receive,
    receive_to_end,
    run_task,
    serving,
    silence,
    to_pcm,
    tone,
)
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from hearline.engines.scripted import Line
from hearline.speech import Samples

HIGH, LOW = to_pcm(tone(1.0, 800), silence(0.2)), to_pcm(tone(1.0, 300), silence(0.2))


def tell_apart(messages: list[dict[str, Any]], task_id: str) -> list[dict[str, Any]]:
    return [message for message in messages if message["header"]["task_id"] == task_id]


def receive_ends(connection: ClientConnection, count: int) -> list[dict[str, Any]]:
    """Everything until so many tasks are over."""
    messages: list[dict[str, Any]] = []
    for _ in range(count):
        messages += receive_to_end(connection)
    return messages


def receive_to_close(connection: ClientConnection) -> tuple[list[dict[str, Any]], int]:
    """Everything until the server closes, and the code of that."""
    messages: list[dict[str, Any]] = []
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            messages.append(receive(connection))
    assert closed.value.rcvd is not None
    return messages, closed.value.rcvd.code


def test_two_tasks_at_once_get_their_own_audio_and_answers() -> None:
    with serving() as server, connect(server.url) as connection:
        connection.send(run_task("a"))
        connection.send(HIGH)
        connection.send(run_task("b"))
        connection.send(HIGH)
        connection.send(finish_task("a"))
        connection.send(LOW)
        connection.send(finish_task("a"))
        connection.send(finish_task("b"))
        messages = receive_ends(connection, 2)
    for task_id, text in (("a", "tone 800"), ("b", "tone 300")):
        own = tell_apart(messages, task_id)
        events = [message["header"]["event"] for message in own]
        assert (events[0], events[-1]) == ("task-started", "task-finished")
        assert {sentence["text"] for sentence in finals(own)} == {text}


def test_a_connection_carries_eight_tasks_and_no_more() -> None:
    with serving() as server, connect(server.url) as connection:
        for number in range(8):
            connection.send(run_task(f"t{number}"))
            assert receive(connection)["header"]["event"] == "task-started"
        connection.send(run_task("t8"))
        messages, code = receive_to_close(connection)
    headers = [message["header"] for message in messages]
    assert [header["task_id"] for header in headers] == ["t8", *(f"t{n}" for n in range(8))]
    assert {header["error_code"] for header in headers} == {"Throttling.RateQuota"}
    assert headers[0]["error_message"] == (
        "Requests rate limit exceeded, please try again later. "
        "A connection carries at most 8 tasks at once."
    )
    assert code == 1013


def test_the_ninth_task_may_follow_when_one_is_over() -> None:
    with serving() as server, connect(server.url) as connection:
        for number in range(30):
            connection.send(run_task(f"t{number}"))
            if number >= 7:
                connection.send(LOW)
                connection.send(finish_task(f"t{number - 7}"))
                messages = receive_to_end(connection)
                assert messages[-1]["header"]["event"] == "task-finished"


def test_a_failing_task_ends_its_connection_but_no_other_connection() -> None:
    def fails_on_high_tones(samples: Samples) -> Line:
        high = samples.size > 8000 and abs(samples[:8000]).mean() > 0.1
        return Line(failure="cue" if high else None, text="quiet")

    with (
        serving(fails_on_high_tones) as server,
        connect(server.url) as bystander,
        connect(server.url) as connection,
    ):
        bystander.send(run_task("c"))
        connection.send(run_task("a"))
        connection.send(run_task("b"))
        connection.send(to_pcm(tone(2.0)))
        messages, code = receive_to_close(connection)
        failed = [m["header"] for m in messages if m["header"]["event"] == "task-failed"]
        assert [header["task_id"] for header in failed] == ["a", "b"]
        assert {header["error_code"] for header in failed} == {"InternalError"}
        assert failed[1]["error_message"] == "Another task of this connection failed: cue"
        assert code == 1011
        bystander.send(to_pcm(silence(1)))
        bystander.send(finish_task("c"))
        assert receive_to_end(bystander)[-1]["header"]["event"] == "task-finished"
        assert server._server._conversations == {}


def test_the_java_sdk_sends_audio_without_waiting() -> None:
    name = "a3c2f4a1-6a6c-4d3c-9f2b-0a1b2c3d4e5f"
    task = run_task(name, pre_task_id=name, disfluency_removal_enabled=False)
    with serving() as server, connect(server.url + "/") as connection:
        connection.send(task)
        for packet in packets(LOW, 16_384):
            connection.send(packet)
        connection.send(finish_task(name))
        messages = receive_to_end(connection)
    assert messages[0]["header"]["event"] == "task-started"
    assert messages[-1]["payload"] == {"output": {}, "usage": None}
    assert [sentence["text"] for sentence in finals(messages)] == ["tone 300"]


def test_livekit_declares_wav_sends_none_and_goes_on_after_the_end() -> None:
    task = run_task(
        "0a1b2c3d4e5f",
        model="paraformer-realtime-v2",
        format="wav",
        vocabulary_id=None,
        disfluency_removal_enabled=False,
        semantic_punctuation_enabled=False,
        punctuation_prediction_enabled=True,
        inverse_text_normalization_enabled=True,
        max_sentence_silence=500,
        heartbeat=True,
        language_hints=["zh"],
    )
    with serving() as server, connect(server.url) as connection:
        connection.send(task)
        for packet in packets(LOW, 3200):
            connection.send(packet)
        connection.send(finish_task("0a1b2c3d4e5f"))
        for packet in packets(HIGH, 3200):
            connection.send(packet)
        messages = receive_to_end(connection)
        assert [sentence["text"] for sentence in finals(messages)] == ["tone 300"]
        connection.send(HIGH)
        connection.send(run_task("next"))
        assert json.loads(connection.recv(timeout=5))["header"]["event"] == "task-started"
