"""Every code that a server says in `task-failed`, through a real socket, with its text."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kit import finish_task, run_task, serving, silence, to_pcm, tone
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from hearline import errors
from hearline.engines.scripted import Line
from hearline.server.running import EmbeddedServer
from hearline.server.service import SERVED_MODELS
from hearline.speech import Samples
from hearline.wire.server import Deadlines

Edit = Callable[[dict[str, Any]], object]

FOLLOW = "Please follow the protocol!"
PARAMETERS = "payload.parameters"


@pytest.fixture(scope="module")
def server() -> Any:
    with serving() as running:
        yield running


def failure(server: EmbeddedServer, *messages: str | bytes, wait_s: float = 20) -> Any:
    """Code, text and close code that a conversation ends with; it must end so."""
    last: Any = None
    with connect(server.url) as connection:
        for message in messages:
            connection.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                last = json.loads(connection.recv(timeout=wait_s))
    assert last["header"]["event"] == "task-failed"
    assert last["payload"] == {}
    assert closed.value.rcvd is not None
    return last["header"]["error_code"], last["header"]["error_message"], closed.value.rcvd.code


def edited(message: str, edit: Edit) -> str:
    parsed = json.loads(message)
    edit(parsed)
    return json.dumps(parsed)


def without(path: str) -> Edit:
    """An edit that takes a member away."""
    *parents, last = path.split(".")

    def edit(message: dict[str, Any]) -> None:
        for parent in parents:
            message = message[parent]
        del message[last]

    return edit


def missing(path: str) -> tuple[Edit, str]:
    return without(path), f"Missing required parameter '{path}'! {FOLLOW}"


def parameter(**values: Any) -> Edit:
    return lambda message: message["payload"]["parameters"].update(values)


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        missing("header"),
        missing("header.task_id"),
        missing("header.action"),
        missing("payload.model"),
        missing("payload.input"),
        missing("payload.task_group"),
        missing("payload.function"),
        missing("payload.parameters"),
        (without("payload.task"), "task can not be null"),
        (
            lambda message: message["payload"].update(task="tts"),
            "Invalid payload.task 'tts': expected asr.",
        ),
        (
            parameter(max_sentence_silence=100),
            (
                f"Invalid parameter '{PARAMETERS}.max_sentence_silence' 100: "
                "expected an integer in [200, 6000]."
            ),
        ),
        (
            without("payload.parameters.format"),
            (
                f"Missing required parameter '{PARAMETERS}.format': "
                "expected pcm, wav, mp3, opus, speex, aac, amr."
            ),
        ),
        (
            lambda message: message["payload"].update(input={"context": 1}),
            "Invalid parameter 'payload.input.context' 1: expected a list.",
        ),
    ],
)
def test_a_wrong_run_task_is_an_invalid_parameter(
    server: EmbeddedServer, edit: Edit, text: str
) -> None:
    assert failure(server, edited(run_task(), edit)) == ("InvalidParameter", text, 1008)


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        (["{"], "Invalid payload data: the message is not JSON."),
        (["[]"], "Invalid payload data: the message is not an object."),
        ([b"audio"], "Audio came before run-task."),
        ([finish_task("x")], "No task x is running: send run-task first."),
        (
            [run_task(), edited(finish_task(), without("payload.input"))],
            f"Missing required parameter 'payload.input'! {FOLLOW}",
        ),
        ([run_task(), run_task()], "This task is running: finish it before the next."),
    ],
)
def test_a_broken_protocol_is_an_invalid_parameter(
    server: EmbeddedServer, messages: list[str | bytes], text: str
) -> None:
    assert failure(server, *messages) == ("InvalidParameter", text, 1008)


def test_no_audio_is_said_so(server: EmbeddedServer) -> None:
    code, text, close = failure(server, run_task(), finish_task())
    assert (code, close) == ("NO_VALID_AUDIO_ERROR", 1008)
    assert text == "NO_VALID_AUDIO_ERROR: no audio was received."


@pytest.mark.parametrize("declared", ["mp3", "opus", "speex", "aac", "amr"])
def test_a_format_that_cannot_be_decoded_is_unsupported(
    server: EmbeddedServer, declared: str
) -> None:
    text = f"Format '{declared}' cannot be decoded yet: send pcm or wav."
    assert failure(server, run_task(format=declared)) == ("UNSUPPORTED_FORMAT", text, 1008)


def test_audio_of_another_format_is_unsupported(server: EmbeddedServer) -> None:
    code, text, close = failure(server, run_task(format="wav"), b"OggS" + bytes(8000))
    assert (code, close) == ("UNSUPPORTED_FORMAT", 1008)
    assert text.startswith("Audio declared as wav, but the bytes are ")


def test_an_unknown_model_is_not_found(server: EmbeddedServer) -> None:
    code, text, close = failure(server, run_task(model="whisper"))
    assert (code, close) == ("ModelNotFound", 1008)
    names = ", ".join(sorted(SERVED_MODELS))
    assert text == (f"Model not exist: 'whisper'. This server serves scripted, also as {names}.")


def test_one_task_too_many_is_throttled(server: EmbeddedServer) -> None:
    with connect(server.url) as connection:
        for number in range(9):
            connection.send(run_task(f"t{number}"))
        last: Any = {"header": {"event": ""}}
        while last["header"]["event"] != "task-failed":
            last = json.loads(connection.recv(timeout=20))
    assert last["header"]["task_id"] == "t8"
    assert last["header"]["error_code"] == "Throttling.RateQuota"
    assert last["header"]["error_message"].startswith(
        "Requests rate limit exceeded, please try again later."
    )


def test_a_failing_recogniser_is_an_internal_error() -> None:
    def fails(samples: Samples) -> Line:
        return Line(failure="The model is broken.")

    with serving(fails) as server:
        found = failure(server, run_task(), to_pcm(tone(1.0), silence(2.0)))
    assert found == ("InternalError", "The model is broken.", 1011)


def test_what_a_recogniser_raises_is_an_internal_error_that_keeps_its_secrets() -> None:
    def raises(samples: Samples) -> Line:
        raise ZeroDivisionError("/etc/secret")

    with serving(raises) as server:
        found = failure(server, run_task(), to_pcm(tone(1.0), silence(2.0)))
    assert found == ("InternalError", "The recogniser failed on this session.", 1011)


@pytest.mark.parametrize("messages", [[], [run_task()], [run_task(), to_pcm(tone(0.2))]])
def test_silence_on_the_line_is_a_client_error(messages: list[str | bytes]) -> None:
    with serving(deadlines=Deadlines(first_task_s=0.3, data_s=0.3)) as server:
        found = failure(server, *messages)
    assert found == ("CLIENT_ERROR", "request timeout after 0.3 seconds.", 1008)


@pytest.mark.slow
def test_the_data_deadline_is_the_documented_one(server: EmbeddedServer) -> None:
    found = failure(server, run_task(), wait_s=40)
    assert found == ("CLIENT_ERROR", "request timeout after 23 seconds.", 1008)


def test_codes_that_never_occur_belong_to_no_error_of_a_server(root: Path) -> None:
    page = (root / "docs" / "errors.md").read_text(encoding="utf-8")
    section = page.partition("## Codes that never occur here\n")[2].partition("\n## ")[0]
    codes = set(re.findall(r"^\| (`.+?`) \|", section, re.MULTILINE))
    named = {code.strip("` ") for cell in codes for code in cell.split(",")}
    assert len(named) > 5
    said = {
        kind.code
        for kind in vars(errors).values()
        if isinstance(kind, type)
        and issubclass(kind, errors.HearlineError)
        and not issubclass(kind, errors.TransportError)
    }
    assert not named & said
