"""A hypothesis as it is to be read: its words make up its text, and nothing gets lost."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit import heard

from hearline.speech import Hypothesis, Word
from hearline.text.finisher import Finisher, Style
from hearline.text.special_words import SpecialWords, WordList

PLAIN = Style()
BARE = Style(punctuation=False)


def finished(
    hypothesis: Hypothesis,
    style: Style = PLAIN,
    *,
    language: str | None = "en",
    punctuated: bool = False,
    complete: bool = True,
) -> Hypothesis:
    finisher = Finisher(style, language=language, punctuated=punctuated)
    return finisher.finish(hypothesis, complete=complete)


def pairs(hypothesis: Hypothesis) -> list[tuple[str, str]]:
    return [(word.text, word.punctuation) for word in hypothesis.words]


def test_a_sentence_begins_with_a_capital_and_ends_with_a_full_stop() -> None:
    done = finished(heard("so", "i", "said", "i'm", "here", pauses_ms={0: 300}))
    assert done.text == "So, I said I'm here."
    assert pairs(done) == [("So", ", "), ("I ", ""), ("said ", ""), ("I'm ", ""), ("here", ".")]


def test_a_short_pause_is_no_comma() -> None:
    assert finished(heard("so", "what", pauses_ms={0: 299})).text == "So what."


@pytest.mark.parametrize(
    ("language", "words", "text"),
    [
        (None, "你好 世界", "你好，世界。"),
        ("zh", "你吃 了吗", "你吃，了吗？"),
        ("yue", "你好 世界", "你好，世界。"),
        ("ja", "今日 元気ですか", "今日、元気ですか？"),
        (None, "えっ そうなん", "えっ、そうなん。"),
        ("ko", "안녕 하세요", "안녕, 하세요."),
        ("zh", "hello world", "Hello, world."),
        (None, "i think", "I, think."),
        ("it", "so i libri", "So, i libri."),
    ],
)
def test_each_language_has_its_marks(language: str | None, words: str, text: str) -> None:
    assert finished(heard(*words.split(), pauses_ms={0: 500}), language=language).text == text


def test_han_and_latin_keep_their_space() -> None:
    assert finished(heard("我", "用", "python"), language="zh").text == "我用 python。"


def test_partials_grow_into_the_final() -> None:
    words = ["well", "i", "think", "it", "is", "fine"]
    texts = [
        finished(heard(*words[:count], pauses_ms={0: 400, 3: 400}), complete=False).text
        for count in range(1, len(words) + 1)
    ]
    texts.append(finished(heard(*words, pauses_ms={0: 400, 3: 400})).text)
    assert texts[-1] == "Well, I think it, is fine."
    assert all(later.startswith(text) for text, later in pairwise(texts))


def test_an_engine_that_punctuates_is_left_alone() -> None:
    hypothesis = Hypothesis(words=heard("Well", "i", "know").words, text="Well, i know!")
    done = finished(hypothesis, punctuated=True)
    assert done.text == "Well, i know!"
    assert pairs(done) == [("Well", ", "), ("i ", ""), ("know", "!")]


@pytest.mark.parametrize(
    ("words", "text", "bare"),
    [
        (("Well", "I", "know"), "Well, I know!", "Well I know"),
        (("你好", "世界"), "你好，世界。", "你好世界"),
        (("it's", "3.5", "don't"), "it's 3.5, don't.", "it's 3.5 don't"),
        (("said", "Hello"), "said “Hello.”", "said Hello"),
    ],
)
def test_punctuation_is_taken_out_on_request(words: tuple[str, ...], text: str, bare: str) -> None:
    hypothesis = Hypothesis(words=heard(*words).words, text=text)
    assert finished(hypothesis, BARE, punctuated=True).text == bare


def test_marks_that_are_words_to_the_engine_belong_to_the_word_before() -> None:
    done = finished(heard("你好", "，", "世界", "。", between=""), punctuated=True)
    assert pairs(done) == [("你好", "，"), ("世界", "。")]


def test_without_punctuation_the_words_are_the_engines() -> None:
    assert finished(heard("so", "i", "see"), BARE).text == "so i see"


def test_a_text_that_does_not_have_the_words_is_written_from_them() -> None:
    hypothesis = Hypothesis(words=heard("one", "two").words, text="something else")
    assert finished(hypothesis).text == "One two."


def test_no_words_are_no_sentence() -> None:
    everything = Style(numbers=True, fluent=True, special_words=SpecialWords())
    assert finished(Hypothesis(), everything) == Hypothesis()
    assert finished(heard("um"), everything) == Hypothesis()


WORDS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["um", "twenty", "three", "hundred", "point", "i", "嗯", "十一", "月", "七", "号"]
    ),
    st.sampled_from(
        ["今天", "bad", "word", "，", "。", "Hello,", "えーと", "百", "三", "点", "-", "(", "*"]
    ),
)


@st.composite
def hypotheses(draw: st.DrawFn) -> Hypothesis:
    begin, words = 0, []
    for text in draw(st.lists(WORDS, max_size=12)):
        begin += draw(st.sampled_from([0, 100, 4000, 9000]))
        words.append(Word(text=text, begin=begin, end=begin + 1600, confidence=0.5))
        begin += 1600
    between = draw(st.sampled_from(["", " ", ", ", "。"]))
    return Hypothesis(words=tuple(words), text=between.join(word.text for word in words))


styles = st.builds(
    Style,
    punctuation=st.booleans(),
    numbers=st.booleans(),
    fluent=st.booleans(),
    special_words=st.sampled_from(
        [
            None,
            SpecialWords(
                filter_with_signed=WordList(word_list=("bad word", "天")),
                filter_with_empty=WordList(word_list=("hundred", "月七")),
                system_reserved_filter=True,
            ),
        ]
    ),
)
languages = st.sampled_from([None, "en", "zh", "ja", "ko", "de"])


@settings(deadline=None)  # the first number loads its rules
@given(hypotheses(), styles, languages, st.booleans(), st.booleans())
def test_words_join_to_the_text_in_order_of_time(
    hypothesis: Hypothesis, style: Style, language: str | None, punctuated: bool, complete: bool
) -> None:
    done = finished(hypothesis, style, language=language, punctuated=punctuated, complete=complete)
    if done.words:
        assert "".join(word.text + word.punctuation for word in done.words) == done.text
        times = [time for word in done.words for time in (word.begin, word.end)]
        assert times == sorted(times)
        assert hypothesis.words[0].begin <= times[0]
        assert times[-1] <= hypothesis.words[-1].end
    assert done.text == done.text.strip()


def letters(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())


@given(hypotheses(), st.booleans(), languages, st.booleans())
def test_no_word_is_lost_or_moved(
    hypothesis: Hypothesis, punctuation: bool, language: str | None, punctuated: bool
) -> None:
    done = finished(
        hypothesis, Style(punctuation=punctuation), language=language, punctuated=punctuated
    )
    assert letters(done.text) == letters("".join(word.text for word in hypothesis.words))


@settings(deadline=None)  # the first number loads its rules
@given(hypotheses(), styles, languages)
def test_what_an_engine_punctuated_is_finished_once_and_for_all(
    hypothesis: Hypothesis, style: Style, language: str | None
) -> None:
    once = finished(hypothesis, style, language=language, punctuated=True)
    again = finished(once, Style(), language=language, punctuated=True)
    assert again.text == once.text
