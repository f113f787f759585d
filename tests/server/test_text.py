"""What the parameters of text do to what is reported, through the real service."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit import finals, receive, recognise, run_task, serving, silence, to_pcm, tone
from websockets.sync.client import connect

from hearline.config import Settings
from hearline.engines.scripted import Scripted, saying
from hearline.server.app import Server
from hearline.server.running import EmbeddedServer

AUDIO = to_pcm(silence(0.3), tone(4.0), silence(0.3))


def said(line: str, *, punctuates: bool = False, **parameters: Any) -> dict[str, Any]:
    """The final of a server whose engine says a line, a word every quarter second."""
    engine = Scripted(saying(line), punctuates=punctuates)
    with serving(engine=engine) as server:
        (sentence,) = finals(recognise(server.url, AUDIO, **parameters))
    words = sentence["words"]
    assert "".join(word["text"] + word["punctuation"] for word in words) == sentence["text"]
    times = [time for word in words for time in (word["begin_time"], word["end_time"])]
    assert times == sorted(times)
    assert sentence["begin_time"] <= times[0] <= times[-1] <= sentence["end_time"]
    return sentence


def test_text_is_punctuated_by_default_and_bare_on_request() -> None:
    assert said("go forward i say")["text"] == "Go forward i say."
    assert said("go forward i say", language_hints=["en"])["text"] == "Go forward I say."
    assert said("go forward", punctuation_prediction_enabled=False)["text"] == "go forward"
    native = {"punctuates": True, "punctuation_prediction_enabled": "false"}
    assert said("Well, go!", **native)["text"] == "Well go"


def test_numbers_get_digits_on_request_and_for_paraformer() -> None:
    line = "今 天 是 十 一 月 七 号"
    assert said(line)["text"] == "今天是十一月七号。"
    assert said(line, inverse_text_normalization_enabled=True)["text"] == "今天是11月7号。"
    assert said(line, model="paraformer-realtime-v2")["text"] == "今天是11月7号。"
    off = {"model": "paraformer-realtime-v2", "inverse_text_normalization_enabled": False}
    assert said(line, **off)["text"] == "今天是十一月七号。"


def test_filler_words_are_left_out_on_request() -> None:
    assert said("嗯 我 呃 回 家")["text"] == "嗯我呃回家。"
    assert said("嗯 我 呃 回 家", disfluency_removal_enabled=True)["text"] == "我回家。"
    line = "えーと 今日 は 休み ですか"
    assert said(line, disfluency_removal_enabled=True)["text"] == "今日は休みですか？"


def test_special_words_are_masked_and_left_out() -> None:
    wanted = {
        "filter_with_signed": {"word_list": ["top secret"]},
        "filter_with_empty": {"word_list": ["PLEASE"]},
        "system_reserved_filter": True,
    }
    sentence = said("please no top secret shit", special_word_filter=json.dumps(wanted))
    assert sentence["text"] == "No *** ****** ****."


@pytest.mark.parametrize("text", ["words", '{"filter_with_empty": []}'])
def test_special_words_in_another_shape_fail_the_task(text: str) -> None:
    with serving() as server, connect(server.url) as connection:
        connection.send(run_task(special_word_filter=text))
        failure = receive(connection)
    assert failure["header"]["error_code"] == "InvalidParameter"
    assert "payload.parameters.special_word_filter" in failure["header"]["error_message"]


def test_an_utterance_of_fillers_is_no_sentence() -> None:
    with serving(engine=Scripted(saying("嗯 啊"), punctuates=False)) as server:
        messages = recognise(server.url, AUDIO, disfluency_removal_enabled=True)
    assert [message["header"]["event"] for message in messages] == ["task-started", "task-finished"]


@pytest.fixture(scope="module")
def pocketsphinx() -> Iterator[str]:
    settings = Settings(port=0)
    with EmbeddedServer(Server(settings), settings) as server:
        yield server.url


def test_real_numbers_get_digits(pocketsphinx: str, speech: Path) -> None:
    audio = (speech / "en" / "picovoice_numbers.wav").read_bytes()

    def text(**parameters: Any) -> str:
        (sentence,) = finals(recognise(pocketsphinx, audio, format="wav", **parameters))
        return sentence["text"]

    assert "equals sixty not six hundred thousand" in text()
    digits = text(inverse_text_normalization_enabled=True)
    assert "equals 60 not 600000 that" in digits
    assert digits.endswith("12% chance.")


def test_real_speech_gets_commas_where_it_pauses(pocketsphinx: str, speech: Path) -> None:
    audio = (speech / "en" / "jfk.wav").read_bytes()
    silence_ms = {"max_sentence_silence": 6000}
    messages = recognise(pocketsphinx, audio, format="wav", **silence_ms)
    (sentence,) = finals(messages)
    assert "," in sentence["text"]
    bare = recognise(
        pocketsphinx, audio, format="wav", punctuation_prediction_enabled=False, **silence_ms
    )
    (plain,) = finals(bare)
    spoken = sentence["text"].replace(",", "").rstrip(".").lower()
    assert spoken == plain["text"]
