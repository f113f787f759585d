"""`RecognitionResult` on its own (F20)."""

import json

from hearline import RecognitionResult
from hearline.client.results import error_result
from hearline.errors import ConnectError


def test_a_result_is_a_dictionary_with_attributes_that_always_prints() -> None:
    output = {"sentence": {"text": "好", "end_time": 9}}
    usages = [{"end_time": 9, "usage": {"duration": 1}}]
    result = RecognitionResult(status_code=200, request_id="r", output=output, usages=usages)
    assert result["output"]["sentence"]["text"] == result.get_sentence()["text"] == "好"  # type: ignore[index, call-overload]
    assert json.loads(str(result)) == json.loads(json.dumps(result)) == dict(result)
    assert "好" in str(result)
    assert repr(result).startswith("RecognitionResult(")
    assert result.is_sentence_end(result.get_sentence())  # type: ignore[arg-type]
    assert not result.is_sentence_end({"end_time": None})
    assert not result.is_sentence_end(None)
    assert result.get_usage({"end_time": 10}) is None


def test_an_error_prints_too() -> None:
    result = error_result(ConnectError("oh", status=500), "r")
    assert result.status_code == 500
    assert "oh" in f"{result} {result!r}"
