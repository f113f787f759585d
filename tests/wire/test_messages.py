"""The JSON of the protocol, against the published examples."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearline.errors import HearlineError, InvalidTask, RemoteProtocolError
from hearline.wire.messages import (
    FinishTask,
    ResultGenerated,
    RunTask,
    TaskFailed,
    UnknownEvent,
    decode_client,
    decode_server,
    encode_client,
    encode_server,
    task_id_of,
)

CLIENT_EXAMPLES = (
    "c2s-run-task",
    "c2s-run-task-context",
    "c2s-run-task-sdk-2.0.2",
    "c2s-run-task-sdk-1.26.2",
    "c2s-run-task-v2-client",
    "c2s-run-task-java-shape",
    "c2s-run-task-livekit-aliyun-shape",
    "c2s-continue-task",
    "c2s-finish-task",
)
SERVER_EXAMPLES = (
    "s2c-task-started",
    "s2c-result-generated-begin-real",
    "s2c-result-generated-interim",
    "s2c-result-generated-final",
    "s2c-result-generated-heartbeat",
    "s2c-task-finished",
    "s2c-task-failed",
    "s2c-task-failed-InvalidParameter",
    "s2c-task-failed-NO_VALID_AUDIO_ERROR",
    "s2c-task-failed-Throttling-RateQuota",
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def example(shared: Path, name: str) -> str:
    return (shared / "spec" / "examples" / f"{name}.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CLIENT_EXAMPLES)
def test_every_client_example_is_read_and_written_again(shared: Path, name: str) -> None:
    text = example(shared, name)
    assert json.loads(encode_client(decode_client(text))) == json.loads(text)


@pytest.mark.parametrize("name", SERVER_EXAMPLES)
def test_every_server_example_is_reproduced(shared: Path, name: str) -> None:
    text = example(shared, name)
    message = decode_server(text)
    assert not isinstance(message, UnknownEvent)
    assert json.loads(encode_server(message)) == json.loads(text)


def test_no_example_is_left_out(shared: Path) -> None:
    here = {path.stem for path in (shared / "spec" / "examples").glob("[cs]2[cs]-*.json")}
    assert here == {*CLIENT_EXAMPLES, *SERVER_EXAMPLES}


def message(action: str = "run-task", **payload: object) -> str:
    return json.dumps({"header": {"action": action, "task_id": "t"}, "payload": payload})


WHOLE = {
    "task_group": "audio",
    "task": "asr",
    "function": "recognition",
    "model": "m",
    "parameters": {},
    "input": {},
}


@pytest.mark.parametrize("name", ["task_group", "function", "model", "parameters", "input"])
def test_a_missing_member_gets_the_services_own_words(name: str) -> None:
    payload = {key: value for key, value in WHOLE.items() if key != name}
    expected = f"Missing required parameter 'payload.{name}'! Please follow the protocol!"
    with pytest.raises(RemoteProtocolError) as error:
        decode_client(message(**payload))
    assert str(error.value) == expected
    assert error.value.code == "InvalidParameter"


def test_a_missing_task_gets_the_services_own_words() -> None:
    with pytest.raises(RemoteProtocolError, match=r"^task can not be null$"):
        decode_client(message(**{**WHOLE, "task": None}))


def test_finish_without_input_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match=r"payload\.input"):
        decode_client(message("finish-task"))


def test_another_function_is_no_task_of_ours() -> None:
    with pytest.raises(InvalidTask, match=r"payload\.function 'translate'"):
        decode_client(message(**{**WHOLE, "function": "translate"}))


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '"x"', "null", "{}", "[" * 100_000])
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_client(text)
    with pytest.raises(RemoteProtocolError):
        decode_server(text)


def test_the_task_is_found_in_a_message_that_is_wrong_otherwise() -> None:
    assert task_id_of(message()) == "t"
    assert task_id_of("{") is None


def test_missing_streaming_is_forgiven() -> None:
    assert decode_client(message("finish-task", input={})) == FinishTask(task_id="t")


def test_an_unknown_event_is_named_not_refused() -> None:
    text = json.dumps({"header": {"event": "news", "task_id": "t"}, "payload": {}})
    assert decode_server(text) == UnknownEvent(task_id="t", event="news")


def test_a_failure_without_code_or_message_is_still_a_failure() -> None:
    failure = decode_server(json.dumps({"header": {"event": "task-failed"}}))
    assert failure == TaskFailed(task_id=None, error_code="", error_message="")


def test_a_result_keeps_what_it_does_not_know() -> None:
    sentence = {"begin_time": 0, "end_time": 1, "text": "x", "sentence_end": True, "emo_tag": "y"}
    header = {"event": "result-generated", "task_id": "t"}
    result = decode_server(
        json.dumps({"header": header, "payload": {"output": {"sentence": sentence}}})
    )
    assert isinstance(result, ResultGenerated)
    assert result.output["sentence"]["emo_tag"] == "y"


@given(header=st.dictionaries(st.sampled_from(["action", "task_id", "event"]), JSON), payload=JSON)
def test_any_json_is_a_message_or_an_error_of_ours(header: object, payload: object) -> None:
    text = json.dumps({"header": header, "payload": payload})
    for decode in (decode_client, decode_server):
        try:
            decode(text)
        except HearlineError as error:
            assert error.message


@given(payload=st.fixed_dictionaries(dict.fromkeys(WHOLE, JSON)))
def test_any_run_task_is_a_task_or_an_error_of_ours(payload: dict[str, object]) -> None:
    payload |= {"task_group": "audio", "task": "asr", "function": "recognition"}
    try:
        assert isinstance(decode_client(message(**payload)), RunTask)
    except HearlineError as error:
        assert error.message
