"""The tables of the server's machine: no hole, and every pair does what its cell says."""

import json
from collections.abc import Callable

import pytest
from kit import finish_task, run_task

from hearline.errors import AudioError, LocalProtocolError
from hearline.wire.messages import Sentence
from hearline.wire.server import Close, ServerConnection, ServerTask
from hearline.wire.server_states import (
    CONNECTION_OUTCOMES,
    TASK_TRANSITIONS,
    ConnectionState,
    Outcome,
    Signal,
    TaskState,
)

NAME = "t1"
SENTENCE = Sentence(begin_time=0, end_time=10, text="hi", sentence_end=True)
CONTEXT = json.dumps(
    {"header": {"action": "continue-task", "task_id": NAME}, "payload": {"input": {}}}
)
INVALID = json.dumps({"header": {"action": "dance", "task_id": NAME}, "payload": {}})

CAUSES: dict[Signal, Callable[[ServerConnection], object]] = {
    Signal.RUN_TASK: lambda connection: connection.receive_text(run_task(NAME)),
    Signal.CONTINUE_TASK: lambda connection: connection.receive_text(CONTEXT),
    Signal.FINISH_TASK: lambda connection: connection.receive_text(finish_task(NAME)),
    Signal.AUDIO: lambda connection: connection.receive_audio(b"ab"),
    Signal.INVALID: lambda connection: connection.receive_text(INVALID),
    Signal.EXPIRY: lambda connection: connection.expire(),
    Signal.START: lambda connection: connection.start(NAME),
    Signal.RESULT: lambda connection: connection.result(NAME, SENTENCE, None),
    Signal.FINISH: lambda connection: connection.finish(NAME),
    Signal.FAIL: lambda connection: connection.fail(NAME, AudioError("x")),
}
"""What makes each signal happen to a connection, about the task NAME."""

SAID_WHEN_TAKEN = {
    Signal.START: "task-started",
    Signal.RESULT: "result-generated",
    Signal.FINISH: "task-finished",
    Signal.FAIL: "task-failed",
}


def run(connection: ServerConnection, *, until: TaskState = TaskState.FINISHING) -> None:
    connection.receive_text(run_task(NAME))
    if until is not TaskState.STARTING:
        connection.start(NAME)
    if until is TaskState.FINISHING:
        connection.receive_text(finish_task(NAME))


def with_task(state: TaskState) -> ServerConnection:
    """A connection with the task in a state; one that is not there is beside a finishing one."""
    connection = ServerConnection()
    if state is TaskState.NEW:
        connection.receive_text(run_task("other"))
        connection.start("other")
        connection.receive_text(finish_task("other"))
    else:
        run(connection, until=state)
    assert connection.task_state(NAME) is state
    connection.take_output()
    return connection


def connection_in(state: ConnectionState) -> ServerConnection:
    match state:
        case ConnectionState.WAITING:
            connection = ServerConnection()
        case ConnectionState.STARTING:
            connection = with_task(TaskState.STARTING)
        case ConnectionState.BUSY:
            connection = with_task(TaskState.RUNNING)
        case ConnectionState.IDLE:
            connection = with_task(TaskState.FINISHING)
            connection.finish(NAME)
        case ConnectionState.CLOSED:
            connection = with_task(TaskState.RUNNING)
            connection.fail(NAME, AudioError("x"))
    connection.take_output()
    assert connection.state is state
    return connection


def names(connection: ServerConnection) -> list[str]:
    """What is to be written: events, and close codes."""
    return [
        str(said.code) if isinstance(said, Close) else json.loads(said)["header"]["event"]
        for said in connection.take_output()
    ]


def check(connection: ServerConnection, signal: Signal, outcome: Outcome) -> None:
    """Make a signal happen and see that it does what an outcome means."""
    before = connection.state, connection.task_state(NAME)
    if outcome is Outcome.FORBID:
        with pytest.raises(LocalProtocolError):
            CAUSES[signal](connection)
        assert (connection.state, connection.task_state(NAME)) == before
        assert names(connection) == []
        return
    event = CAUSES[signal](connection)
    said = names(connection)
    match outcome:
        case Outcome.TAKE:
            assert (event is not None) == (signal not in SAID_WHEN_TAKEN)
            assert said[:1] == ([SAID_WHEN_TAKEN[signal]] if event is None else [])
        case Outcome.IGNORE:
            assert (event, said) == (None, [])
            assert (connection.state, connection.task_state(NAME)) == before
        case Outcome.FAIL:
            assert event is None
            assert said[0] == "task-failed"
            assert said[-1] == "1008"
            assert connection.state is ConnectionState.CLOSED
        case Outcome.CLOSE:
            assert (event, said) == (None, ["1000"])
            assert connection.state is ConnectionState.CLOSED
        case Outcome.ROUTE:
            pytest.fail("a routed signal has the outcome that the table of tasks says")


def test_the_tables_have_no_hole() -> None:
    assert set(CONNECTION_OUTCOMES) == {(s, signal) for s in ConnectionState for signal in Signal}
    assert set(TASK_TRANSITIONS) == {(state, signal) for state in TaskState for signal in Signal}


def test_only_what_is_taken_or_ends_the_talk_moves_a_task() -> None:
    for (state, _), transition in TASK_TRANSITIONS.items():
        if transition.outcome in (Outcome.IGNORE, Outcome.FORBID):
            assert transition.state is state
        if transition.outcome is Outcome.FAIL:
            assert transition.state is TaskState.ENDED
        assert transition.outcome not in (Outcome.ROUTE, Outcome.CLOSE)


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("state", ConnectionState)
def test_a_connection_does_what_its_table_says(state: ConnectionState, signal: Signal) -> None:
    connection = connection_in(state)
    outcome = CONNECTION_OUTCOMES[state, signal]
    if outcome is Outcome.ROUTE:
        outcome = TASK_TRANSITIONS[connection.task_state(NAME), signal].outcome
    check(connection, signal, outcome)


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("state", [state for state in TaskState if state is not TaskState.ENDED])
def test_a_task_does_what_its_table_says(state: TaskState, signal: Signal) -> None:
    connection = with_task(state)
    transition = TASK_TRANSITIONS[state, signal]
    if CONNECTION_OUTCOMES[connection.state, signal] is not Outcome.ROUTE:
        assert transition.outcome is CONNECTION_OUTCOMES[connection.state, signal]
    check(connection, signal, transition.outcome)
    closed = connection.state is ConnectionState.CLOSED
    gone = closed or transition.state is TaskState.ENDED
    assert connection.task_state(NAME) is (TaskState.NEW if gone else transition.state)


@pytest.mark.parametrize("signal", Signal)
def test_a_task_that_is_over_takes_nothing(signal: Signal) -> None:
    task = ServerTask(NAME)
    task.apply(Signal.FAIL)
    if TASK_TRANSITIONS[TaskState.ENDED, signal].outcome is Outcome.FORBID:
        with pytest.raises(LocalProtocolError):
            task.apply(signal)
    else:
        assert task.apply(signal) is Outcome.IGNORE
    assert task.state is TaskState.ENDED
