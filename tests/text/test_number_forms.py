"""Numbers in words become numbers in digits, and what is no number stays."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from kit import heard

from hearline.speech import Hypothesis
from hearline.text.finisher import Finisher, Style
from hearline.text.number_forms import write_numbers
from hearline.text.tokens import cut, spell


def written(hypothesis: Hypothesis, language: str | None) -> str:
    style = Style(punctuation=False, numbers=True)
    finisher = Finisher(style, language=language, punctuated=False)
    return finisher.finish(hypothesis, complete=True).text


@pytest.mark.parametrize(
    ("spoken", "text"),
    [
        ("six times ten equals sixty", "six times ten equals 60"),
        ("go forward ten meters", "go forward ten meters"),
        ("not six hundred thousand but twelve percent", "not 600000 but 12%"),
        ("i have twenty-three dollars and fifty cents", "i have $23.50"),
        (
            "in nineteen ninety nine i had two hundred and five apples",
            "in 1999 i had 205 apples",
        ),
        ("between twenty and thirty", "between 20 and 30"),
        ("two point five million people", "2.5 million people"),
        ("the twenty first century", "the 21st century"),
        ("the second one", "the second one"),
        ("the twenty second of may", "the twenty second of may"),
        ("wait a twenty second pause", "wait a twenty second pause"),
        ("call five five five one two one two", "call 5551212"),
        ("at five twenty three", "at five twenty three"),
        ("half past three p m", "half past three p m"),
        ("fifty fifty", "fifty fifty"),
        ("seven eleven", "seven eleven"),
        ("no one", "no one"),
    ],
)
def test_english(spoken: str, text: str) -> None:
    assert written(heard(*spoken.split()), "en") == text


@pytest.mark.parametrize(
    ("spoken", "text"),
    [
        ("今天是十一月七号", "今天是11月7号"),
        ("二零二五年十一月", "2025年11月"),
        ("下午三点半", "下午3点半"),
        ("十二点三十五分", "12点35分"),
        ("十几个", "十几个"),
        ("二十几个", "二十几个"),
        ("几十万", "几十万"),
        ("一百多人", "一百多人"),
        ("二三十个人", "二三十个人"),
        ("我有两个苹果", "我有两个苹果"),
        ("一心一意", "一心一意"),
        ("万一", "万一"),
        ("五四运动", "五四运动"),
        ("百分之九十九点九", "99.9%"),
        ("三分之二", "2/3"),
        ("零点五", "0.5"),
        ("一千二百块钱", "1200块钱"),
        ("一亿二千万", "1亿2000万"),
        ("电话一三八零零一三八零零零", "电话13800138000"),
    ],
)
def test_chinese(spoken: str, text: str) -> None:
    assert written(heard(*spoken, between=""), "zh") == text


@pytest.mark.parametrize(
    ("spoken", "text"),
    [
        ("十一月七日です", "11月7日です"),
        ("三時半", "3時半"),
        ("百二十円", "120円"),
        ("二〇二五年", "2025年"),
        ("三十パーセント", "30%"),
        ("二三人", "二三人"),
        ("八百屋", "八百屋"),
        ("一生懸命", "一生懸命"),
    ],
)
def test_japanese(spoken: str, text: str) -> None:
    assert written(heard(*spoken, between=""), "ja") == text


def test_a_number_is_one_word_from_its_first_to_its_last() -> None:
    hypothesis = heard("in", "nineteen", "ninety", "nine", "it", pauses_ms={1: 50})
    tokens = write_numbers(cut(hypothesis), "en")
    assert [token.text for token in tokens] == ["in", "1999", "it"]
    assert tokens[1].begin == hypothesis.words[1].begin
    assert tokens[1].end == hypothesis.words[3].end


def test_a_number_may_be_a_part_of_a_word() -> None:
    tokens = write_numbers(cut(heard("今天", "二十", "三个人", between="")), "zh")
    assert [token.text for token in tokens] == ["今天", "23个人"]


def test_a_number_does_not_span_a_pause() -> None:
    hypothesis = heard("twenty", "three", pauses_ms={0: 400})
    assert spell(write_numbers(cut(hypothesis), "en")) == "20 three"


def test_writing_numbers_again_changes_nothing() -> None:
    tokens = cut(heard("two", "million", "of", "one", "hundred", "and", "two", "twenty", "first"))
    once = write_numbers(tokens, "en")
    assert write_numbers(once, "en") == once


def test_a_language_without_rules_keeps_its_words() -> None:
    assert written(heard("twenty", "three"), None) == "twenty three"


def test_many_threads_may_ask_at_once() -> None:
    numbers = [f"{tens} {ones} thousand" for tens in ("sixty", "ninety") for ones in ("one", "six")]
    with ThreadPoolExecutor(8) as pool:
        texts = pool.map(lambda text: written(heard(*text.split()), "en"), numbers * 20)
    assert list(texts) == ["61000", "66000", "91000", "96000"] * 20
