"""What the tests of the client's machine share: servers' messages, and tasks in every state."""

import json
from typing import Any

from hearline.wire.client import ClientTask
from hearline.wire.client_states import State
from hearline.wire.messages import RunTask

SENTENCE = {"begin_time": 0, "end_time": None, "text": "hi", "sentence_end": False, "words": []}


def new_task(**options: Any) -> ClientTask:
    return ClientTask(RunTask(task_id="t1", model="m", parameters={}), **options)


def event(name: str, payload: dict[str, Any] | None = None, **header: Any) -> str:
    head = {"task_id": "t1", "event": name, "attributes": {}} | header
    return json.dumps({"header": head, "payload": payload or {}})


def result(usage: Any = None, **fields: Any) -> str:
    return event("result-generated", {"output": {"sentence": SENTENCE | fields}, "usage": usage})


STARTED = event("task-started")
FINISHED = event("task-finished", {"output": {}, "usage": None})
FAILED = event("task-failed", error_code="X", error_message="Y")


def at(state: State, **options: Any) -> ClientTask:
    """A task that has come to a state, with nothing left to write."""
    task = new_task(**options)
    if state is not State.NEW:
        task.start()
    if state is State.HURRYING:
        task.finish()
    if state in (State.RUNNING, State.FINISHING, State.FINISHED):
        task.receive(STARTED)
    if state in (State.FINISHING, State.FINISHED):
        task.finish()
    if state is State.FINISHED:
        task.receive(FINISHED)
    if state is State.FAILED:
        task.receive(FAILED)
    task.take_output()
    assert task.state is state
    return task


def said(task: ClientTask) -> list[str]:
    """What is to be written: the names of messages, and audio as text."""
    return [
        message.decode() if isinstance(message, bytes) else json.loads(message)["header"]["action"]
        for message in task.take_output()
    ]
