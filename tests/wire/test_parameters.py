"""The declared parameters: what fits, what does not, and what is forgiven."""

from typing import Any

import pytest

from hearline.errors import InvalidParameter
from hearline.wire.parameters import PARAMETERS, read_parameters

REQUIRED = {"format": "pcm", "sample_rate": 16000}


def test_unset_parameters_get_their_defaults() -> None:
    read = read_parameters(REQUIRED)
    assert (read.max_sentence_silence, read.language_hints) == (1300, ())


@pytest.mark.parametrize("name", ["format", "sample_rate"])
@pytest.mark.parametrize("present", [False, True])
def test_a_required_parameter_may_be_neither_missing_nor_null(name: str, present: bool) -> None:
    raw: dict[str, Any] = {key: value for key, value in REQUIRED.items() if key != name}
    if present:
        raw[name] = None
    with pytest.raises(InvalidParameter, match=name):
        read_parameters(raw)


@pytest.mark.parametrize(
    ("raw", "field", "value"),
    [
        ({"sample_rate": "8000"}, "sample_rate", 8000),
        ({"sample_rate": 8000.0}, "sample_rate", 8000),
        ({"max_sentence_silence": None}, "max_sentence_silence", 1300),
        ({"language_hints": [None]}, "language_hints", ()),
        ({"language_hints": ["en", "zh"]}, "language_hints", ("en", "zh")),
        ({"disfluency_removal_enabled": "true"}, "disfluency_removal_enabled", True),
        (
            {"inverse_text_normalization_enabled": "False"},
            "inverse_text_normalization_enabled",
            False,
        ),
        ({"special_word_filter": None}, "special_word_filter", None),
    ],
)
def test_what_real_clients_send_is_forgiven(raw: dict[str, Any], field: str, value: object) -> None:
    assert getattr(read_parameters({**REQUIRED, **raw}), field) == value


def test_unknown_names_are_ignored() -> None:
    assert read_parameters({**REQUIRED, "stream": True, "pre_task_id": "x"}) == read_parameters(
        REQUIRED
    )


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("format", "ogg", "pcm, wav, mp3, opus, speex, aac, amr"),
        ("format", ["pcm"], "pcm, wav"),
        ("sample_rate", 7999, "[8000, 96000]"),
        ("sample_rate", 16000.5, "an integer"),
        ("sample_rate", True, "an integer"),
        ("sample_rate", "fast", "an integer"),
        ("max_sentence_silence", 199, "[200, 6000]"),
        ("max_sentence_silence", 6001, "[200, 6000]"),
        ("max_sentence_silence", 1e400, "[200, 6000]"),
        ("max_sentence_silence", {}, "an integer"),
        ("language_hints", "en", "a list of strings"),
        ("language_hints", [1], "a list of strings"),
        ("punctuation_prediction_enabled", "maybe", "true or false"),
        ("special_word_filter", {"word_list": []}, "a string"),
    ],
)
def test_an_error_names_field_value_and_range(name: str, value: object, allowed: str) -> None:
    with pytest.raises(InvalidParameter) as error:
        read_parameters({**REQUIRED, name: value})
    assert f"payload.parameters.{name}" in str(error.value)
    assert repr(value)[:30] in str(error.value)
    assert allowed in str(error.value)


def test_a_huge_value_makes_a_short_error() -> None:
    with pytest.raises(InvalidParameter) as error:
        read_parameters({**REQUIRED, "format": "x" * 10_000})
    assert len(str(error.value)) < 200


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda parameter: parameter.name)
def test_every_parameter_says_what_it_does(parameter: Any) -> None:
    assert parameter.rule.doc.endswith((".", ".)"))
    assert (parameter.rule.low is None) == (parameter.rule.high is None)
