"""The server's machine: the conversations that official clients have."""

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
    AudioReceived,
    Close,
    ContextReceived,
    Deadlines,
    FinishRequested,
    ServerConnection,
    TaskRequested,
)
from hearline.wire.server_states import ConnectionState, TaskState

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


def running(*task_ids: str) -> ServerConnection:
    """A connection with tasks that take audio, and with nothing left to write."""
    connection = ServerConnection()
    for task_id in task_ids or ("t1",):
        connection.receive_text(run_task(task_id))
        connection.start(task_id)
    connection.take_output()
    return connection


def failures(connection: ServerConnection) -> list[tuple[str, str, str]]:
    """Task, code and text of what is to be written, which is nothing but failures and a close."""
    *said, close = connection.take_output()
    assert isinstance(close, Close)
    headers = [json.loads(message)["header"] for message in said if isinstance(message, str)]
    assert {header["event"] for header in headers} == {"task-failed"}
    return [(h["task_id"], h["error_code"], h["error_message"]) for h in headers]


def test_a_whole_task() -> None:
    connection = ServerConnection()
    assert isinstance(connection.receive_text(run_task()), TaskRequested)
    connection.start("t1")
    assert connection.receive_audio(b"ab") == AudioReceived("t1", b"ab")
    assert connection.receive_text(CONTEXT) == ContextReceived("t1", {})
    connection.result("t1", SENTENCE, Usage(duration=1))
    assert connection.receive_text(finish_task()) == FinishRequested("t1")
    connection.finish("t1")
    assert events(connection) == ["task-started", "result-generated", "task-finished"]
    assert connection.state is ConnectionState.IDLE


def test_another_task_may_follow_on_the_same_connection_also_by_the_same_name() -> None:
    connection = running()
    connection.receive_text(finish_task())
    connection.finish("t1")
    assert isinstance(connection.receive_text(run_task("t2")), TaskRequested)
    connection.start("t2")
    connection.receive_text(finish_task("t2"))
    connection.finish("t2")
    assert isinstance(connection.receive_text(run_task("t2")), TaskRequested)


def test_several_tasks_run_at_once_and_answer_under_their_own_names() -> None:
    connection = running("a", "b")
    connection.result("b", SENTENCE, None)
    connection.result("a", SENTENCE, None)
    assert connection.receive_text(finish_task("b")) == FinishRequested("b")
    connection.finish("b")
    said = [json.loads(str(message))["header"] for message in connection.take_output()]
    assert [header["task_id"] for header in said] == ["b", "a", "b"]
    assert connection.state is ConnectionState.BUSY
    assert connection.task_state("a") is TaskState.RUNNING


def test_audio_belongs_to_the_oldest_task_that_takes_any() -> None:
    connection = running("a", "b")
    assert connection.receive_audio(b"1") == AudioReceived("a", b"1")
    connection.receive_text(finish_task("a"))
    assert connection.receive_audio(b"2") == AudioReceived("b", b"2")
    connection.finish("a")
    connection.receive_text(run_task("c"))
    connection.start("c")
    assert connection.receive_audio(b"3") == AudioReceived("b", b"3")
    connection.receive_text(finish_task("b"))
    assert connection.receive_audio(b"4") == AudioReceived("c", b"4")
    connection.receive_text(finish_task("c"))
    assert connection.receive_audio(b"5") is None


def test_a_task_that_runs_cannot_be_run_again() -> None:
    connection = running("a", "b")
    assert connection.receive_text(run_task("b")) is None
    assert [task_id for task_id, _, _ in failures(connection)] == ["b", "a"]


def test_a_failed_task_ends_the_others_of_its_connection_and_says_why() -> None:
    connection = running("a", "b", "c")
    connection.fail("b", AudioError("Audio is bad."))
    other = "Another task of this connection failed: Audio is bad."
    assert failures(connection) == [
        ("b", "UNSUPPORTED_FORMAT", "Audio is bad."),
        ("a", "UNSUPPORTED_FORMAT", other),
        ("c", "UNSUPPORTED_FORMAT", other),
    ]
    assert connection.state is ConnectionState.CLOSED


def test_a_bad_message_fails_the_task_it_names_first() -> None:
    connection = running("a", "b")
    connection.receive_text('{"header": {"action": "run-task", "task_id": "c"}, "payload": {}}')
    assert [task_id for task_id, _, _ in failures(connection)] == ["c", "a", "b"]


def test_a_bad_message_without_a_name_fails_the_task_in_front() -> None:
    connection = running("a", "b")
    connection.receive_text("nonsense")
    assert [task_id for task_id, _, _ in failures(connection)] == ["a", "b"]


def test_a_client_that_waits_for_the_end_of_a_task_is_not_called_silent() -> None:
    connection = running("a", "b")
    assert connection.patience_s == 23
    connection.receive_text(finish_task("a"))
    assert connection.patience_s is None
    connection.expire()
    assert connection.task_state("b") is TaskState.RUNNING
    connection.finish("a")
    assert connection.patience_s == 23


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
    assert connection.task_state("t1") is TaskState.RUNNING


def test_what_comes_late_is_ignored() -> None:
    connection = running()
    connection.receive_text(finish_task())
    for _ in range(2):
        assert connection.receive_audio(b"x") is None
        assert connection.receive_text(finish_task()) is None
        assert connection.receive_text(CONTEXT) is None
        if connection.task_state("t1") is TaskState.FINISHING:
            connection.finish("t1")
    assert events(connection) == ["task-finished"]


def test_a_failure_is_said_before_the_close() -> None:
    connection = running()
    connection.fail("t1", AudioError("Audio is bad."))
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
    connection.fail("t1", error)  # pyright: ignore[reportArgumentType]
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
    connection.finish("t1")
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
    connection.start("t1")
    assert connection.patience_s == 3
    connection.receive_text(finish_task())
    assert connection.patience_s is None
    connection.finish("t1")
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
    connection.finish("t1")
    connection.take_output()
    connection.expire()
    assert events(connection) == ["1000"]


def test_the_service_cannot_speak_out_of_turn() -> None:
    connection = ServerConnection()
    for speak in (
        lambda: connection.start("t1"),
        lambda: connection.finish("t1"),
        lambda: connection.result("t1", SENTENCE, None),
        lambda: running().finish("t1"),
        lambda: running().result("t2", SENTENCE, None),
    ):
        with pytest.raises(LocalProtocolError):
            speak()


class AnyConversation(RuleBasedStateMachine):
    """Whatever clients send, the server says only what official clients can bear."""

    def __init__(self) -> None:
        super().__init__()
        self.connection = ServerConnection()
        self.requested = ""
        self.said: list[str | Close] = []

    def is_starting(self) -> bool:
        return self.connection.state is ConnectionState.STARTING

    def under_way(self, *states: TaskState) -> list[str]:
        return [name for name in ("t1", "t2") if self.connection.task_state(name) in states]

    @precondition(lambda self: not self.is_starting())
    @rule(
        text=st.sampled_from(
            [run_task("t1"), run_task("t2"), finish_task("t1"), finish_task("t2"), CONTEXT, "{", ""]
        )
    )
    def receive_text(self, text: str) -> None:
        event = self.connection.receive_text(text)
        if isinstance(event, TaskRequested):
            self.requested = event.task.task_id

    @precondition(lambda self: not self.is_starting())
    @rule(data=st.binary(max_size=4))
    def receive_audio(self, data: bytes) -> None:
        self.connection.receive_audio(data)

    @rule()
    def expire(self) -> None:
        self.connection.expire()

    @precondition(lambda self: self.is_starting())
    @rule(works=st.booleans())
    def answer(self, works: bool) -> None:
        if works:
            self.connection.start(self.requested)
        else:
            self.connection.fail(self.requested, AudioError("no"))

    @precondition(lambda self: self.under_way(TaskState.RUNNING, TaskState.FINISHING))
    @rule(data=st.data())
    def result(self, data: st.DataObject) -> None:
        names = self.under_way(TaskState.RUNNING, TaskState.FINISHING)
        self.connection.result(data.draw(st.sampled_from(names)), SENTENCE, None)

    @precondition(lambda self: self.under_way(TaskState.FINISHING))
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        names = self.under_way(TaskState.FINISHING)
        self.connection.finish(data.draw(st.sampled_from(names)))

    @invariant()
    def official_clients_live(self) -> None:
        self.said += self.connection.take_output()
        headers = [json.loads(text)["header"] for text in self.said if isinstance(text, str)]
        letters = {"task-started": "s", "result-generated": "r", "task-finished": "f"}
        for name in ("t1", "t2"):
            spoken = "".join(letters.get(h["event"], "x") for h in headers if h["task_id"] == name)
            assert re.fullmatch(r"(sr*f)*(s?r*x|s?r*)", spoken), spoken
        closes = [place for place, item in enumerate(self.said) if isinstance(item, Close)]
        assert closes in ([], [len(self.said) - 1])


AnyConversation.TestCase.settings = settings(max_examples=300, stateful_step_count=30)
TestAnyConversation = AnyConversation.TestCase
