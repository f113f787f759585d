"""A task from packets to transcripts, without threads or clocks."""

from itertools import pairwise

import numpy as np
import pytest
from kit import packets, pitch_script, silence, to_pcm, tone

from hearline.audio.decoder import open_decoder
from hearline.engines.base import Engine
from hearline.engines.scripted import Line, Scripted, saying
from hearline.errors import AudioError, NoValidAudio
from hearline.session import Session
from hearline.speech import SAMPLE_RATE, EndpointReason, Hints, Samples, Transcript
from hearline.text.finisher import Finisher, Style
from hearline.vad.loudness import Loudness
from hearline.vad.rules import SilenceRule
from hearline.vad.segmenter import Segmenter

DETECTOR = Loudness()


def open_session(engine: Engine | None = None, *, silence_ms: int = 500) -> Session:
    return Session(
        decoder=open_decoder("pcm", SAMPLE_RATE),
        detector_state=DETECTOR.open(),
        segmenter=Segmenter(SilenceRule.constant(silence_ms / 1000)),
        engine=engine or Scripted(pitch_script),
        hints=Hints(),
        finisher=Finisher(Style(), language=None, punctuated=True),
    )


def advance(session: Session, engine: Engine) -> list[Transcript]:
    """What a scheduler does in one step."""
    while (frame := session.next_frame()) is not None:
        (probability,) = DETECTOR.probabilities([session.detector_state], np.stack([frame]))
        session.hear(probability)
    for stream in session.ready_streams():
        engine.decode([stream])
    return session.poll()


def run(
    data: bytes, size: int, engine: Engine | None = None, *, silence_ms: int = 500
) -> list[Transcript]:
    engine = engine or Scripted(pitch_script)
    session = open_session(engine, silence_ms=silence_ms)
    transcripts: list[Transcript] = []
    for packet in packets(data, size):
        session.feed(packet)
        transcripts += advance(session, engine)
    session.finish()
    while not session.finished:
        transcripts += advance(session, engine)
    return transcripts


TWO = to_pcm(silence(0.5), tone(1.0, 440), silence(1.0), tone(1.5, 800), silence(0.2))


def test_each_utterance_is_reported_from_its_first_words_to_its_final() -> None:
    transcripts = run(TWO, 3200)
    assert [t.utterance for t in transcripts if t.first] == [1, 2]
    finals = [t for t in transcripts if t.final]
    assert [t.hypothesis.text for t in finals] == ["tone 440", "tone 800"]
    assert [t.reason for t in finals] == [EndpointReason.SILENCE, EndpointReason.CLIENT]


def test_a_sentence_lies_where_it_was_said() -> None:
    first, second = (t for t in run(TWO, 3200) if t.final)
    for transcript, begin, end in ((first, 0.5, 1.5), (second, 2.5, 4.0)):
        assert transcript.end is not None
        assert abs(transcript.begin / SAMPLE_RATE - begin) < 0.04
        assert abs(transcript.end / SAMPLE_RATE - end) < 0.04
        for word in transcript.hypothesis.words:
            assert transcript.begin <= word.begin <= word.end <= transcript.end


@pytest.mark.parametrize("size", [1, 100, 3200, 1_000_000])
def test_finals_do_not_depend_on_the_cuts(size: int) -> None:
    whole = [t for t in run(TWO, len(TWO)) if t.final]
    cut = [t for t in run(TWO, size) if t.final]
    assert [(t.begin, t.end, t.hypothesis) for t in cut] == [
        (t.begin, t.end, t.hypothesis) for t in whole
    ]


def test_only_enough_silence_parts_sentences() -> None:
    assert len([t for t in run(TWO, 3200, silence_ms=900) if t.final]) == 2
    assert len([t for t in run(TWO, 3200, silence_ms=1100) if t.final]) == 1


def test_partials_come_while_speech_goes_on() -> None:
    transcripts = run(to_pcm(tone(2.0)), 3200, Scripted(saying("a b c d")))
    texts = [t.hypothesis.text for t in transcripts]
    assert texts[0] == "a"
    assert texts[-1] == "a b c d"
    assert all(later.startswith(text) for text, later in pairwise(texts))


def test_the_engine_hears_a_little_before_the_speech_and_none_of_a_long_silence() -> None:
    heard: list[int] = []

    def listen(samples: Samples) -> Line:
        heard.append(samples.size)
        return Line(text="x")

    run(to_pcm(silence(2), tone(1.0), silence(3)), 3200, Scripted(listen), silence_ms=2000)
    assert 1.2 < heard[-1] / SAMPLE_RATE < 1.8


def test_the_engine_hears_the_same_lead_right_after_a_sentence_as_later() -> None:
    heard: list[int] = []

    def listen(samples: Samples) -> Line:
        heard.append(samples.size)
        return Line(text="x")

    run(to_pcm(tone(1.0), silence(1.05), tone(1.0)), 3200, Scripted(listen), silence_ms=1000)
    assert heard[-1] >= SAMPLE_RATE + 9 * 512


def test_noise_without_words_is_no_sentence() -> None:
    transcripts = run(TWO, 3200, Scripted(lambda _: Line()))
    assert transcripts == []


def test_words_that_were_shown_get_a_final_even_when_they_vanish() -> None:
    def change_of_mind(samples: Samples) -> Line:
        return Line(text="hm" if samples.size < SAMPLE_RATE else "")

    transcripts = run(to_pcm(tone(1.5), silence(1)), 3200, Scripted(change_of_mind))
    assert [(t.hypothesis.text, t.final) for t in transcripts] == [("hm", False), ("", True)]


def test_silence_alone_ends_well() -> None:
    assert run(to_pcm(silence(3)), 3200) == []


def test_no_audio_at_all_is_an_error() -> None:
    with pytest.raises(NoValidAudio):
        open_session().finish()


def test_what_is_not_pcm_is_an_error_of_the_session() -> None:
    with pytest.raises(AudioError):
        open_session().feed(b"OggS" + bytes(100))


def test_closing_releases_the_streams() -> None:
    session = open_session()
    session.feed(to_pcm(tone(1.0)))
    advance(session, Scripted(pitch_script))
    session.close()
    assert session.ready_streams() == []
