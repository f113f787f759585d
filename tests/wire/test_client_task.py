"""The client's machine: its table, and the conversations with good and bad servers."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire.clients import FAILED, FINISHED, STARTED, at, event, new_task, result, said

from hearline.errors import (
    ConnectionLost,
    EarlyFinish,
    InvalidReply,
    InvalidState,
    LocalProtocolError,
    TaskFailed,
    TransportTimeout,
)
from hearline.wire.client import (
    MAX_PACKET_BYTES,
    ClientEvent,
    ClientTask,
    Deadlines,
    Failed,
    Skipped,
    split_packets,
)
from hearline.wire.client_states import TRANSITIONS, Outcome, Signal, State
from hearline.wire.messages import ResultGenerated, TaskFinished, TaskStarted, Usage


def error_of(happened: ClientEvent | None) -> Exception:
    assert isinstance(happened, Failed)
    return happened.error


def test_the_table_has_an_answer_to_every_signal_in_every_state(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert set(TRANSITIONS) == set(itertools.product(State, Signal))
    for state in State:
        print(f"\n{state}")
        for signal in Signal:
            transition = TRANSITIONS[state, signal]
            print(f"    {signal:30} {transition.outcome:8} -> {transition.state}")
    assert capsys.readouterr().out.count("->") == len(State) * len(Signal)


def test_what_is_ignored_held_skipped_or_forbidden_has_its_place() -> None:
    for (state, signal), transition in TRANSITIONS.items():
        match transition.outcome:
            case Outcome.IGNORE | Outcome.SKIP | Outcome.FORBID:
                assert transition.state is state, (state, signal)
            case Outcome.FAIL:
                assert transition.state is State.FAILED, (state, signal)
            case Outcome.HOLD:
                assert state is State.STARTING, (state, signal)
            case Outcome.TAKE:
                assert state not in (State.FINISHED, State.FAILED), (state, signal)


def test_every_state_is_reached_from_the_first() -> None:
    reached = {State.NEW}
    for _ in State:
        reached |= {t.state for (state, _), t in TRANSITIONS.items() if state in reached}
    assert reached == set(State)


def test_a_task_from_its_start_to_its_end() -> None:
    task = new_task()
    task.start()
    assert said(task) == ["run-task"]
    assert isinstance(task.receive(STARTED), TaskStarted)
    task.send_audio(b"one")
    task.update_context({})
    task.send_audio(b"two")
    assert said(task) == ["one", "continue-task", "two"]
    partial = task.receive(result())
    assert isinstance(partial, ResultGenerated)
    assert partial.sentence.text == "hi"
    task.finish()
    assert said(task) == ["finish-task"]
    final = task.receive(result(end_time=9, sentence_end=True, usage={"duration": 1}))
    assert isinstance(final, ResultGenerated)
    assert final.usage == Usage(duration=1)
    assert isinstance(task.receive(FINISHED), TaskFinished)
    assert task.ended
    assert task.take_output() == []


@given(st.lists(st.binary(min_size=1, max_size=5), max_size=20), st.integers(0, 20))
def test_audio_leaves_in_order_whenever_the_task_starts(packets: list[bytes], moment: int) -> None:
    task = new_task()
    task.start()
    output: list[str | bytes] = []
    for number, packet in enumerate(packets):
        if number == moment:
            task.receive(STARTED)
        task.send_audio(packet)
        if number % 3 == 0:
            output += task.take_output()
    task.finish()
    if task.state is State.HURRYING:
        assert [message for message in output if isinstance(message, bytes)] == []
        task.receive(STARTED)
    output += task.take_output()
    assert output[1:-1] == packets
    assert task.state is State.FINISHING


@given(st.binary(max_size=3 * MAX_PACKET_BYTES))
def test_split_packets_join_to_what_they_were_cut_from(data: bytes) -> None:
    packets = list(split_packets(data))
    assert b"".join(packets) == data
    assert all(0 < len(packet) <= MAX_PACKET_BYTES for packet in packets)


def test_only_so_much_audio_waits_and_the_caller_can_ask() -> None:
    task = at(State.STARTING, room_bytes=10)
    assert task.has_room(100)  # a large packet goes when nothing else waits
    task.send_audio(b"12345678")
    assert task.has_room(2)
    assert not task.has_room(3)
    with pytest.raises(LocalProtocolError):
        task.send_audio(b"123")
    task.receive(STARTED)
    assert not task.has_room(3)
    task.take_output()
    assert task.has_room(3)
    task.send_audio(b"12345678")
    assert not task.has_room(3)
    task.lose(ConnectionLost())
    assert task.has_room(3)  # who waited for room now learns that all is over


def test_what_the_caller_may_not_do_now_is_refused_with_known_words() -> None:
    for state in State:
        if state is not State.NEW:
            with pytest.raises(InvalidState, match=r"^Speech recognition has started\.$"):
                at(state).start()
        if state in (State.STARTING, State.RUNNING):
            continue
        task = at(state)
        for call in (
            lambda t: t.send_audio(b"x"),
            lambda t: t.update_context({}),
            ClientTask.finish,
        ):
            with pytest.raises(InvalidState, match=r"^Speech recognition has stopped\.$"):
                call(task)
        assert task.take_output() == []


def test_a_failure_is_the_end_with_the_servers_code_and_words() -> None:
    for state in (State.NEW, State.STARTING, State.HURRYING, State.RUNNING, State.FINISHING):
        error = error_of(at(state).receive(FAILED))
        assert isinstance(error, TaskFailed)
        assert (error.reported_code, error.message) == ("X", "Y")


def test_an_end_that_nobody_asked_for_is_an_error() -> None:
    for state in (State.STARTING, State.HURRYING, State.RUNNING):
        assert isinstance(error_of(at(state).receive(FINISHED)), EarlyFinish)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"payload":{}}', '{"header":{}}'])
def test_what_is_no_message_is_the_end(text: str) -> None:
    assert isinstance(error_of(at(State.RUNNING).receive(text)), InvalidReply)


@pytest.mark.parametrize(
    "message",
    [
        b"binary",
        event("unheard-of"),
        event("task-failed", task_id="other", error_code="X", error_message="Y"),
        STARTED,
    ],
)
def test_what_is_for_nobody_is_counted(message: str | bytes) -> None:
    task = at(State.RUNNING)
    before = task.progress
    assert task.receive(message) is None
    assert (task.ignored, task.progress, task.state) == (1, before, State.RUNNING)


def test_a_message_without_a_task_is_for_this_one() -> None:
    assert isinstance(at(State.STARTING).receive(event("task-started", task_id=None)), TaskStarted)


@given(
    name=st.sampled_from(["begin_time", "end_time", "text", "words", "sentence_id"]),
    value=st.sampled_from([None, "x", [], {}, [1], 1.5, "∞", -1]),
)
def test_a_malformed_result_costs_itself_and_nothing_else(name: str, value: object) -> None:
    task = at(State.RUNNING)
    happened = task.receive(result(**{name: value}))
    assert isinstance(happened, Skipped | ResultGenerated)
    assert task.state is State.RUNNING
    assert isinstance(task.receive(result()), ResultGenerated)


@pytest.mark.parametrize(
    "payload", [{}, {"output": {}}, {"output": []}, {"output": {"sentence": 7}}]
)
def test_a_result_without_a_sentence_is_skipped(payload: dict[str, Any]) -> None:
    happened = at(State.RUNNING).receive(event("result-generated", payload))
    assert happened == Skipped(
        "Missing required parameter 'payload.output.sentence'! Please follow the protocol!"
    )


def test_a_sentence_is_final_when_it_has_an_end_whatever_the_flag_says() -> None:
    for flag in ({}, {"sentence_end": "false"}, {"sentence_end": True}):
        for end_time in (None, 9):
            sentence = {"begin_time": 0, "end_time": end_time, "text": "hi"} | flag
            message = event("result-generated", {"output": {"sentence": sentence}})
            happened = at(State.RUNNING).receive(message)
            assert isinstance(happened, ResultGenerated)
            assert happened.sentence.sentence_end is (end_time is not None)


@pytest.mark.parametrize("usage", [[], "free", {}, {"duration": None}])
def test_a_usage_that_cannot_be_read_costs_no_words(usage: object) -> None:
    happened = at(State.RUNNING).receive(result(usage=usage))
    assert isinstance(happened, ResultGenerated)
    assert not happened.usage
    end = event("task-finished", {"output": {}, "usage": usage})
    assert isinstance(at(State.FINISHING).receive(end), TaskFinished)


def test_a_heartbeat_is_progress_and_no_words() -> None:
    task = at(State.FINISHING)
    before = task.progress
    assert task.receive(result(heartbeat=True)) is None
    assert task.progress > before


def test_after_the_end_nothing_changes_anything() -> None:
    for state in (State.FINISHED, State.FAILED):
        task = at(state)
        for message in (STARTED, result(), FINISHED, FAILED, "{", b"", result(text=7)):
            assert task.receive(message) is None
        assert task.lose(ConnectionLost()) is None
        assert task.expire() is None
        assert task.state is state


def test_patience_depends_on_who_is_expected_to_speak() -> None:
    deadlines = Deadlines(progress_s=1, silence_s=2)
    expected = {State.RUNNING: 2} | dict.fromkeys(
        (State.STARTING, State.HURRYING, State.FINISHING), 1
    )
    for state in State:
        assert at(state, deadlines=deadlines).patience_s == expected.get(state)


def test_a_silent_server_is_an_error_and_a_silent_caller_is_finished() -> None:
    for state in (State.STARTING, State.HURRYING, State.FINISHING):
        assert isinstance(error_of(at(state).expire()), TransportTimeout)
    task = at(State.RUNNING)
    assert task.expire() is None
    assert said(task) == ["finish-task"]
    assert task.state is State.FINISHING


def test_held_audio_is_no_progress_and_sent_audio_is() -> None:
    for state, moves in ((State.STARTING, False), (State.RUNNING, True)):
        task = at(state)
        before = task.progress
        task.send_audio(b"x")
        assert (task.progress != before) is moves


def test_a_lost_connection_is_the_end_with_its_reason() -> None:
    loss = ConnectionLost("gone")
    for state in (State.NEW, State.STARTING, State.HURRYING, State.RUNNING, State.FINISHING):
        assert error_of(at(state).lose(loss)) is loss
