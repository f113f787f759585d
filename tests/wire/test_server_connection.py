"""The server's machine: its table, and the conversations that official clients have."""

import json
import re

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from kit import finish_task, run_task

from hearline.errors import AudioError, EngineError, LocalProtocolError, Overloaded
from hearline.wire.messages import Sentence, Usage
from hearline.wire.server import (
    TRANSITIONS,
    AudioReceived,
    Close,
    ContextReceived,
    Deadlines,
    FinishRequested,
    Outcome,
    ServerConnection,
    Signal,
    State,
    TaskRequested,
)

SENTENCE = Sentence(begin_time=0, end_time=10, text="hi", sentence_end=True)
CONTEXT = json.dumps(
    {"header": {"action": "continue-task", "task_id": "t1"}, "payload": {"input": {}}}
)


def events(connection: ServerConnection) -> list[str]:
    """The names of what is to be written, with close codes."""
    return [
        str(message.code) if isinstance(message, Close) else json.loads(message)["header"]["event"]
        for message in connection.take_output()
    ]


def running() -> ServerConnection:
    connection = ServerConnection()
    connection.receive_text(run_task())
    connection.start()
    connection.take_output()
    return connection


def test_the_table_has_no_hole(capsys: pytest.CaptureFixture[str]) -> None:
    for state in State:
        for signal in Signal:
            transition = TRANSITIONS[state, signal]
            print(f"{state:>10} | {signal:<28} | {transition.outcome:<6} | {transition.state}")
    assert len(TRANSITIONS) == len(State) * len(Signal)
    assert capsys.readouterr().out.count("\n") == len(TRANSITIONS)


def test_only_what_is_taken_or_ends_the_talk_moves_the_state() -> None:
    for (state, _), transition in TRANSITIONS.items():
        if transition.outcome in (Outcome.IGNORE, Outcome.FORBID):
            assert transition.state is state
        if transition.outcome in (Outcome.FAIL, Outcome.CLOSE):
            assert transition.state is State.CLOSED


def test_a_whole_task() -> None:
    connection = ServerConnection()
    assert isinstance(connection.receive_text(run_task()), TaskRequested)
    connection.start()
    assert connection.receive_audio(b"ab") == AudioReceived(b"ab")
    assert connection.receive_text(CONTEXT) == ContextReceived({})
    connection.result(SENTENCE, Usage(duration=1))
    assert connection.receive_text(finish_task()) == FinishRequested()
    connection.finish()
    assert events(connection) == ["task-started", "result-generated", "task-finished"]
    assert connection.state is State.IDLE


def test_another_task_may_follow_on_the_same_connection_also_by_the_same_name() -> None:
    connection = running()
    connection.receive_text(finish_task())
    connection.finish()
    assert isinstance(connection.receive_text(run_task("t2")), TaskRequested)
    connection.start()
    connection.receive_text(finish_task("t2"))
    connection.finish()
    assert isinstance(connection.receive_text(run_task("t2")), TaskRequested)


def test_a_second_task_while_one_runs_fails_the_connection() -> None:
    connection = running()
    assert connection.receive_text(run_task("t2")) is None
    assert events(connection) == ["task-failed", "1008"]


def test_audio_before_any_task_fails_the_connection() -> None:
    connection = ServerConnection()
    assert connection.receive_audio(b"x") is None
    assert events(connection) == ["task-failed", "1008"]


@pytest.mark.parametrize("text", [finish_task(), CONTEXT])
def test_a_task_must_be_run_first(text: str) -> None:
    connection = ServerConnection()
    assert connection.receive_text(text) is None
    assert events(connection) == ["task-failed", "1008"]


def test_messages_for_other_tasks_are_ignored() -> None:
    connection = running()
    assert connection.receive_text(finish_task("other")) is None
    assert connection.state is State.RUNNING


def test_what_comes_late_is_ignored() -> None:
    connection = running()
    connection.receive_text(finish_task())
    for _ in range(2):
        assert connection.receive_audio(b"x") is None
        assert connection.receive_text(finish_task()) is None
        assert connection.receive_text(CONTEXT) is None
        if connection.state is State.FINISHING:
            connection.finish()
    assert events(connection) == ["task-finished"]


def test_a_failure_is_said_before_the_close() -> None:
    connection = running()
    connection.fail(AudioError("Audio is bad."))
    failure, close = connection.take_output()
    assert isinstance(failure, str)
    assert json.loads(failure) == {
        "header": {
            "task_id": "t1",
            "event": "task-failed",
            "error_code": "UNSUPPORTED_FORMAT",
            "error_message": "Audio is bad.",
            "attributes": {},
        },
        "payload": {},
    }
    assert close == Close(1008, "UNSUPPORTED_FORMAT")


@pytest.mark.parametrize(
    ("error", "code"), [(AudioError("x"), 1008), (EngineError("x"), 1011), (Overloaded("x"), 1013)]
)
def test_the_close_code_tells_whose_fault_it_was(error: Exception, code: int) -> None:
    connection = running()
    connection.fail(error)  # pyright: ignore[reportArgumentType]
    assert events(connection)[-1] == str(code)


def test_a_bad_first_message_is_answered_under_its_own_name() -> None:
    connection = ServerConnection()
    connection.receive_text('{"header": {"action": "run-task", "task_id": "mine"}}')
    failure = connection.take_output()[0]
    assert isinstance(failure, str)
    assert json.loads(failure)["header"]["task_id"] == "mine"


def test_a_bad_message_after_a_task_is_not_answered_under_that_tasks_name() -> None:
    connection = running()
    connection.receive_text(finish_task())
    connection.finish()
    connection.take_output()
    connection.receive_text('{"header": {"action": "run-task", "task_id": "next"}}')
    failure = connection.take_output()[0]
    assert isinstance(failure, str)
    assert json.loads(failure)["header"]["task_id"] == "next"


def test_a_name_that_is_too_long_is_refused_and_not_repeated() -> None:
    connection = ServerConnection()
    assert connection.receive_text(run_task("x" * 1_000_000)) is None
    failure = connection.take_output()[0]
    assert isinstance(failure, str)
    assert "header.task_id" in json.loads(failure)["header"]["error_message"]
    assert len(failure) < 1000


def test_patience_depends_on_what_is_awaited() -> None:
    connection = ServerConnection(Deadlines(first_task_s=1, next_task_s=2, data_s=3))
    assert connection.patience_s == 1
    connection.receive_text(run_task())
    assert connection.patience_s is None
    connection.start()
    assert connection.patience_s == 3
    connection.receive_text(finish_task())
    assert connection.patience_s is None
    connection.finish()
    assert connection.patience_s == 2


def test_a_silent_client_gets_the_documented_error() -> None:
    connection = running()
    connection.expire()
    failure = connection.take_output()[0]
    assert isinstance(failure, str)
    header = json.loads(failure)["header"]
    assert header["error_code"] == "CLIENT_ERROR"
    assert header["error_message"] == "request timeout after 23 seconds."


def test_an_idle_connection_is_closed_without_a_word() -> None:
    connection = running()
    connection.receive_text(finish_task())
    connection.finish()
    connection.take_output()
    connection.expire()
    assert events(connection) == ["1000"]


def test_the_service_cannot_speak_out_of_turn() -> None:
    connection = ServerConnection()
    for speak in (
        connection.start,
        connection.finish,
        lambda: connection.result(SENTENCE, None),
    ):
        with pytest.raises(LocalProtocolError):
            speak()
    with pytest.raises(LocalProtocolError):
        running().finish()


class AnyConversation(RuleBasedStateMachine):
    """Whatever clients send, the server says only what official clients can bear."""

    def __init__(self) -> None:
        super().__init__()
        self.connection = ServerConnection()
        self.said: list[str] = []

    def listen(self) -> None:
        self.said += events(self.connection)

    @precondition(lambda self: self.connection.state is not State.STARTING)
    @rule(
        text=st.sampled_from(
            [run_task("t1"), run_task("t2"), finish_task("t1"), finish_task("t2"), CONTEXT, "{", ""]
        )
    )
    def receive_text(self, text: str) -> None:
        self.connection.receive_text(text)

    @precondition(lambda self: self.connection.state is not State.STARTING)
    @rule(data=st.binary(max_size=4))
    def receive_audio(self, data: bytes) -> None:
        self.connection.receive_audio(data)

    @rule()
    def expire(self) -> None:
        self.connection.expire()

    @precondition(lambda self: self.connection.state is State.STARTING)
    @rule(works=st.booleans())
    def answer(self, works: bool) -> None:
        if works:
            self.connection.start()
        else:
            self.connection.fail(AudioError("no"))

    @precondition(lambda self: self.connection.state in (State.RUNNING, State.FINISHING))
    @rule()
    def result(self) -> None:
        self.connection.result(SENTENCE, None)

    @precondition(lambda self: self.connection.state is State.FINISHING)
    @rule()
    def finish(self) -> None:
        self.connection.finish()

    @invariant()
    def official_clients_live(self) -> None:
        self.listen()
        letters = {"task-started": "s", "result-generated": "r", "task-finished": "f"}
        letters["task-failed"] = "x"
        spoken = "".join(letters.get(event, "c") for event in self.said)
        assert re.fullmatch(r"(sr*f)*((s?r*x?)c?|s?r*)", spoken), spoken


AnyConversation.TestCase.settings = settings(max_examples=300, stateful_step_count=30)
TestAnyConversation = AnyConversation.TestCase
