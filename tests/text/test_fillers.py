"""Filler words go, and words that only look like them stay."""

import pytest
from kit import heard

from hearline.text.fillers import remove_fillers
from hearline.text.tokens import cut, spell


@pytest.mark.parametrize(
    ("language", "words", "text"),
    [
        ("en", "um i uh think er Umm yes umbrella", "i think yes umbrella"),
        ("en", "that error is an er ror", "that error is an ror"),
        ("de", "er geht um acht", "er geht um acht"),
        (None, "er geht um acht", "er geht um acht"),
        ("zh", "嗯 我 呃 呃 想 啊啊 回 家", "我想回家"),
        ("zh", "额 外", "额外"),
        ("ja", "えーと 今日 は え っ と 休み", "今日は休み"),
        ("ja", "あの 人", "あの人"),
    ],
)
def test_a_filler_is_left_out(language: str | None, words: str, text: str) -> None:
    assert spell(remove_fillers(cut(heard(*words.split())), language)) == text


def test_a_demonstrative_before_a_pause_is_a_filler() -> None:
    tokens = cut(heard("あの", "人", pauses_ms={0: 250}))
    assert spell(remove_fillers(tokens, "ja")) == "人"


def test_the_pause_around_a_filler_stays() -> None:
    tokens = remove_fillers(cut(heard("so", "um", "yes", pauses_ms={1: 400})), "en")
    assert [(token.text, token.pause) for token in tokens] == [("so", 6400), ("yes", 0)]


def test_the_mark_after_a_filler_goes_to_the_word_before() -> None:
    tokens = remove_fillers(cut(heard("well", "um,", "yes.")), "en")
    assert [token.text + token.mark + token.space for token in tokens] == ["well, ", "yes."]
