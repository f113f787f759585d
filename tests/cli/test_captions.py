import re

from hypothesis import given
from hypothesis import strategies as st

from hearline.cli.captions import Cue, to_cues, to_srt, to_vtt
from hearline.wire.messages import Sentence, Word

times = st.integers(0, 400 * 3_600_000)
texts = st.lists(st.text("ab'-.語 &<>", min_size=1, max_size=60), max_size=30).map("".join)


@st.composite
def sentences(draw: st.DrawFn) -> Sentence:
    """A sentence as servers send it, with word times however loose, or without any."""
    text = draw(texts)
    words = tuple(
        Word(begin_time=draw(times), end_time=draw(times), text=spelling)
        for spelling in draw(st.sampled_from([text.split(), [], ["elsewhere"]]))
    )
    return Sentence(
        begin_time=draw(times), end_time=draw(times), text=text, sentence_end=True, words=words
    )


def a_sentence(text: str, word_ms: int = 400) -> Sentence:
    words = tuple(
        Word(begin_time=place * word_ms, end_time=(place + 1) * word_ms, text=f"{spelling} ")
        for place, spelling in enumerate(text.split())
    )
    return Sentence(
        begin_time=0, end_time=len(words) * word_ms, text=text, sentence_end=True, words=words
    )


def without_space(text: str) -> str:
    return "".join(text.split())


@given(sentences())
def test_cues_hold_the_text_and_nothing_else(sentence: Sentence):
    shown = "".join(line for cue in to_cues(sentence) for line in cue.lines)
    assert without_space(shown) == without_space(sentence.text)


@given(st.lists(sentences(), max_size=4))
def test_cues_are_in_order_and_never_overlap(several: list[Sentence]):
    after_ms = 0
    for sentence in several:
        for cue in to_cues(sentence, after_ms=after_ms):
            assert after_ms <= cue.begin_ms < cue.end_ms
            after_ms = cue.end_ms


@given(sentences())
def test_cues_fit_the_screen_and_the_eye(sentence: Sentence):
    for cue in to_cues(sentence):
        assert 1 <= len(cue.lines) <= 2
        assert all(len(line) <= 42 for line in cue.lines)
        assert cue.end_ms - cue.begin_ms <= 7000


def test_a_short_sentence_is_one_cue_from_its_first_word_to_its_last():
    cues = to_cues(a_sentence("go forward ten meters"))
    assert cues == (Cue(begin_ms=0, end_ms=1600, lines=("go forward ten meters",)),)


def test_a_long_sentence_is_cut_between_words_at_their_times():
    text = "and so my fellow americans ask not what your country can do for you ask what you can do"
    first, second = to_cues(a_sentence(text, word_ms=300))
    assert first.lines == (
        "and so my fellow americans ask not what",
        "your country can do for you ask what you",
    )
    assert second.lines == ("can do",)
    assert (first.end_ms, second.begin_ms) == (17 * 300, 17 * 300)


def test_slow_speech_is_cut_by_time():
    cues = to_cues(a_sentence("one two three four", word_ms=3000))
    assert [cue.lines for cue in cues] == [("one two",), ("three four",)]


def test_a_sentence_without_words_is_timed_by_its_characters():
    text = "今" * 100
    sentence = Sentence(begin_time=1000, end_time=6000, text=text, sentence_end=True)
    first, second = to_cues(sentence)
    assert (first.begin_ms, first.end_ms) == (1000, 1000 + 84 * 50)
    assert (second.begin_ms, second.end_ms) == (1000 + 84 * 50, 6000)


def test_repeated_words_keep_their_own_times():
    cues = to_cues(a_sentence("no no no", word_ms=5000))
    assert [(cue.begin_ms, cue.lines) for cue in cues] == [
        (0, ("no",)),
        (5000, ("no",)),
        (10_000, ("no",)),
    ]


def test_a_cue_in_subrip():
    cue = Cue(begin_ms=3_723_004, end_ms=3_725_000, lines=("a < b", "c"))
    assert to_srt(cue, 7) == "7\n01:02:03,004 --> 01:02:05,000\na < b\nc\n\n"


def test_a_cue_in_webvtt_escapes_what_would_be_markup():
    cue = Cue(begin_ms=0, end_ms=360_000_000, lines=("<i> & -->",))
    assert to_vtt(cue) == "00:00:00.000 --> 100:00:00.000\n&lt;i&gt; &amp; --&gt;\n\n"


@given(times)
def test_a_clock_shows_the_time_it_was_given(time_ms: int):
    cue = Cue(begin_ms=time_ms, end_ms=time_ms + 1, lines=("x",))
    shown = re.match(r"(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3}) --> ", to_vtt(cue))
    assert shown is not None
    hours, minutes, seconds, ms = map(int, shown.groups())
    assert ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms == time_ms
