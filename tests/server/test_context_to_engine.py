"""Context through a real socket, from the messages of a client to the streams of an engine."""

import json
from typing import Any

from kit import (
    finish_task,
    pitch_script,
    receive,
    receive_to_end,
    run_task,
    serving,
    silence,
    to_pcm,
    tone,
)
from websockets.sync.client import connect

from hearline.engines.base import Stream
from hearline.engines.scripted import Scripted
from hearline.speech import Hints, Turn


class Remembering(Scripted):
    """A scripted engine that keeps the hints of every stream."""

    def __init__(self) -> None:
        super().__init__(pitch_script)
        self.hints: list[Hints] = []

    def open(self, hints: Hints) -> Stream:
        self.hints.append(hints)
        return super().open(hints)


def context(*texts: str) -> dict[str, Any]:
    content = [[{"type": "input_text", "text": text}] for text in texts]
    return {"context": [{"role": "user", "content": parts} for parts in content]}


def with_input(message: str, **raw: Any) -> str:
    parsed = json.loads(message)
    parsed["payload"]["input"] = raw
    return json.dumps(parsed)


def continue_task(**raw: Any) -> str:
    header = {"action": "continue-task", "task_id": "t1", "streaming": "duplex"}
    return json.dumps({"header": header, "payload": {"input": raw}})


def test_context_holds_for_the_utterances_that_begin_after_it() -> None:
    engine = Remembering()
    utterance = to_pcm(tone(0.5), silence(2.0))
    with serving(engine=engine) as server, connect(server.url) as connection:
        connection.send(with_input(run_task(language_hints=["en"]), **context("one", "two")))
        connection.send(utterance)
        connection.send(continue_task(**context("three")))
        connection.send(utterance)
        connection.send(continue_task())
        connection.send(utterance)
        connection.send(finish_task())
        assert receive_to_end(connection)[-1]["header"]["event"] == "task-finished"
    assert engine.hints == [
        Hints(language="en", context=(Turn(user="one"), Turn(user="two"))),
        Hints(language="en", context=(Turn(user="three"),)),
        Hints(language="en"),
    ]


def test_wrong_context_fails_the_task_when_it_is_run() -> None:
    with serving() as server, connect(server.url) as connection:
        connection.send(with_input(run_task(), context="tide tables"))
        header = receive(connection)["header"]
    assert header["error_code"] == "InvalidParameter"
    assert header["error_message"] == (
        "Invalid parameter 'payload.input.context' 'tide tables': expected a list."
    )


def test_wrong_context_fails_the_task_while_it_runs() -> None:
    with serving() as server, connect(server.url) as connection:
        connection.send(run_task())
        connection.send(continue_task(context=[{"role": "nobody"}]))
        assert receive(connection)["header"]["event"] == "task-started"
        header = receive(connection)["header"]
    assert header["error_code"] == "InvalidParameter"
    assert "payload.input.context[0].role" in header["error_message"]
