"""Special words are masked or left out, wherever they are and only they."""

import pytest
from kit import heard

from hearline.errors import InvalidParameter
from hearline.speech import Hypothesis
from hearline.text.finisher import Finisher, Style
from hearline.text.special_words import (
    RESERVED,
    SpecialWords,
    WordFilter,
    WordList,
    read_special_words,
)
from hearline.text.tokens import cut


def filtered(
    hypothesis: Hypothesis, *, masked: tuple[str, ...] = (), removed: tuple[str, ...] = ()
) -> Hypothesis:
    wanted = SpecialWords(
        filter_with_signed=WordList(word_list=masked),
        filter_with_empty=WordList(word_list=removed),
    )
    style = Style(punctuation=False, special_words=wanted)
    return Finisher(style, language=None, punctuated=False).finish(hypothesis, complete=True)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("Secret", "a ****** secretary said hello world"),
        ("hello  world", "a secret secretary said ***** *****"),
        ("hell", "a secret secretary said hello world"),
        ("a", "* secret secretary said hello world"),
        ("missing", "a secret secretary said hello world"),
    ],
)
def test_a_masked_word_keeps_its_length(word: str, text: str) -> None:
    hypothesis = heard("a", "secret", "secretary", "said", "hello", "world")
    assert filtered(hypothesis, masked=(word,)).text == text


def test_words_without_spaces_match_anywhere() -> None:
    hypothesis = heard("天气", "真好", between="")
    assert filtered(hypothesis, masked=("气真",)).text == "天**好"
    assert filtered(hypothesis, removed=("气真",)).text == "天好"
    assert [word.text for word in filtered(hypothesis, removed=("气真好",)).words] == ["天"]


def test_a_latin_word_is_found_beside_han() -> None:
    assert filtered(heard("我", "love", "你", between=""), masked=("LOVE",)).text == "我****你"


def test_what_is_in_both_lists_is_left_out() -> None:
    assert filtered(heard("a", "b"), masked=("b",), removed=("B",)).text == "a"


def test_words_that_meet_are_looked_at_again() -> None:
    assert filtered(heard("a", "b", "c", "d"), removed=("b c", "a d")).text == ""
    assert filtered(heard("x", "a", "d", "d"), removed=("a d",)).text == "x d"
    assert filtered(heard("x", "a", "a", "d", "d"), removed=("a d",)).text == "x"


def test_the_reserved_words_are_masked_on_request() -> None:
    hypothesis = heard("oh", "Shit", "shitake")
    on, off = SpecialWords(system_reserved_filter=True), SpecialWords()
    assert [token.text for token in WordFilter(on).apply(cut(hypothesis))] == [
        "oh",
        "****",
        "shitake",
    ]
    assert WordFilter(off).apply(cut(hypothesis)) == cut(hypothesis)
    assert len(set(RESERVED)) == len(RESERVED)


def test_without_words_the_text_is_filtered_all_the_same() -> None:
    hypothesis = Hypothesis(text="a secret here")
    assert filtered(hypothesis, masked=("secret",)) == Hypothesis(text="a ****** here")


def test_the_documented_example_is_read() -> None:
    read = read_special_words(
        '{"filter_with_signed": {"word_list": ["a", "b"]}, "filter_with_empty": '
        '{"word_list": ["c"]}, "system_reserved_filter": true}'
    )
    assert read.filter_with_signed.word_list == ("a", "b")
    assert read.filter_with_empty.word_list == ("c",)
    assert read.system_reserved_filter


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "truncated"),
        ("words", "malformed"),
        ("{", "truncated"),
        ("[]", "Expected `object`"),
        ('{"filter_with_signed": ["a"]}', "filter_with_signed"),
        ('{"filter_with_empty": {"word_list": [1]}}', "filter_with_empty.word_list"),
        ('{"system_reserved_filter": "yes"}', "system_reserved_filter"),
        ('{"filter_with_empty": {"word_list": [' + ",".join(['"a"'] * 33) + "]}}", "<= 32"),
    ],
)
def test_what_is_wrong_is_named(text: str, complaint: str) -> None:
    with pytest.raises(
        InvalidParameter, match=r"payload\.parameters\.special_word_filter"
    ) as error:
        read_special_words(text)
    assert complaint in str(error.value)
