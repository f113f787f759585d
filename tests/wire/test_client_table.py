"""The table of the client's machine: every pair does what its cell says, by real messages."""

from collections.abc import Callable

import pytest
from wire.clients import FAILED, FINISHED, STARTED, at, event, result, said

from hearline.errors import ConnectionLost, InvalidState
from hearline.wire.client import ClientTask, Failed, Skipped
from hearline.wire.client_states import TRANSITIONS, Outcome, Signal, State

CAUSES: dict[Signal, Callable[[ClientTask], object]] = {
    Signal.START: lambda task: task.start(),
    Signal.AUDIO: lambda task: task.send_audio(b"ab"),
    Signal.CONTEXT: lambda task: task.update_context({"context": []}),
    Signal.FINISH: lambda task: task.finish(),
    Signal.TASK_STARTED: lambda task: task.receive(STARTED),
    Signal.RESULT: lambda task: task.receive(result()),
    Signal.TASK_FINISHED: lambda task: task.receive(FINISHED),
    Signal.TASK_FAILED: lambda task: task.receive(FAILED),
    Signal.STRAY: lambda task: task.receive(event("task-finished", task_id="other")),
    Signal.MALFORMED: lambda task: task.receive(event("result-generated", {"output": {}})),
    Signal.INVALID: lambda task: task.receive("nonsense"),
    Signal.EXPIRY: lambda task: task.expire(),
    Signal.LOSS: lambda task: task.lose(ConnectionLost("gone")),
}
"""What makes each signal happen to a task."""

WRITES = {
    Signal.START: ["run-task"],
    Signal.AUDIO: ["ab"],
    Signal.CONTEXT: ["continue-task"],
    Signal.FINISH: ["finish-task"],
    Signal.EXPIRY: ["finish-task"],
}
HANDS_ON = {Signal.TASK_STARTED, Signal.RESULT, Signal.TASK_FINISHED}


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("state", State)
def test_a_task_does_what_the_table_says(state: State, signal: Signal) -> None:
    task = at(state)
    ignored = task.ignored
    transition = TRANSITIONS[state, signal]
    if transition.outcome is Outcome.FORBID:
        with pytest.raises(InvalidState):
            CAUSES[signal](task)
        happened = None
    else:
        happened = CAUSES[signal](task)
    assert task.state is transition.state
    assert (task.ignored > ignored) == (transition.outcome is Outcome.IGNORE)
    if state is not State.HURRYING or signal is not Signal.TASK_STARTED:
        taken = transition.outcome is Outcome.TAKE
        assert said(task) == (WRITES.get(signal, []) if taken else [])
    match transition.outcome:
        case Outcome.TAKE:
            assert (happened is not None) == (signal in HANDS_ON)
        case Outcome.SKIP:
            assert isinstance(happened, Skipped)
        case Outcome.FAIL:
            assert isinstance(happened, Failed)
        case Outcome.HOLD | Outcome.IGNORE | Outcome.FORBID:
            assert happened is None
    if transition.outcome is Outcome.HOLD:
        task.receive(STARTED)
        assert said(task) == WRITES[signal]


def test_what_was_hurried_is_said_when_the_task_starts() -> None:
    task = at(State.HURRYING)
    task.receive(STARTED)
    assert said(task) == ["finish-task"]
