"""What the parameters of segmentation do, through the service and on sound."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from kit import finals, recognise, serving, silence, to_pcm, tone

from hearline.config import Settings
from hearline.engines.scripted import Line, Scripted
from hearline.server.app import Server
from hearline.server.running import EmbeddedServer
from hearline.speech import Samples


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def listening() -> Iterator[EmbeddedServer]:
    """A server with a neural detector, whose engine says one word for whatever it gets."""
    settings = Settings(port=0)
    server = Server(settings, engine=lambda: Scripted(lambda _: Line(text="speech")))
    with EmbeddedServer(server, settings) as running:
        yield running


def spans(url: str, *parts: Samples, size: int = 3200, **parameters: Any) -> list[list[float]]:
    """Begin and end of each sentence in seconds."""
    sentences = finals(recognise(url, to_pcm(*parts), size=size, **parameters))
    return [[s["begin_time"] / 1000, s["end_time"] / 1000] for s in sentences]


def near(seconds: list[list[float]]) -> Any:
    """Within a frame, which is 32 ms, and rounding."""
    return [pytest.approx(pair, abs=0.04) for pair in seconds]


@pytest.mark.parametrize("threshold_ms", [200, 800, 1300, 6000])
@pytest.mark.parametrize("size", [640, 3200, 1_000_000])
def test_silence_parts_sentences_from_the_length_asked_for(
    server: EmbeddedServer, threshold_ms: int, size: int
) -> None:
    for difference, expected in ((-0.05, 1), (0.05, 2)):
        pause = threshold_ms / 1000 + difference
        found = spans(
            server.url,
            tone(0.6),
            silence(pause),
            tone(0.6, 700),
            max_sentence_silence=threshold_ms,
            size=size,
        )
        assert len(found) == expected
        assert found[0][0] == pytest.approx(0, abs=0.04)
        assert found[-1][1] == pytest.approx(1.2 + pause, abs=0.04)
        if expected == 2:
            assert found == near([[0, 0.6], [0.6 + pause, 1.2 + pause]])


def phrases(count: int, pause: float) -> list[Samples]:
    return [part for _ in range(count) for part in (tone(2.0), silence(pause))]


def test_multi_threshold_mode_keeps_sentences_short(server: EmbeddedServer) -> None:
    speech = phrases(12, 0.6)
    usual = spans(server.url, *speech)
    short = spans(server.url, *speech, multi_threshold_mode_enabled=True)
    assert len(usual) == 1
    assert len(short) > 1
    assert max(end - begin for begin, end in short) < 25
    assert sum(end - begin for begin, end in short) > 20


def test_semantic_mode_ends_a_complete_sentence_at_a_pause(server: EmbeddedServer) -> None:
    speech = phrases(3, 1.0)
    assert len(spans(server.url, *speech, max_sentence_silence=6000)) == 1
    parted = spans(
        server.url, *speech, max_sentence_silence=6000, semantic_punctuation_enabled=True
    )
    assert parted == near([[0, 2], [3, 5], [6, 8]])


def test_semantic_mode_waits_two_seconds_for_the_rest_of_a_short_one(
    server: EmbeddedServer,
) -> None:
    options = {"semantic_punctuation_enabled": True, "max_sentence_silence": 200}
    together = spans(server.url, tone(0.5), silence(1.3), tone(0.1), **options)
    apart = spans(server.url, tone(0.5), silence(2.2), tone(0.5), **options)
    assert len(together) == 1
    assert apart == near([[0, 0.5], [2.7, 3.2]])


@pytest.mark.parametrize("pause", [0.0, 0.15])
def test_the_longest_utterance_is_cut_and_no_sound_lost(
    server: EmbeddedServer, pause: float
) -> None:
    speech = [part for _ in range(65) for part in (tone(1.0), silence(pause))]
    found = spans(server.url, *speech)
    assert len(found) == 2
    assert found[0][1] - found[0][0] <= 60.1
    assert found[1][0] - found[0][1] <= pause + 0.04
    if pause:
        # The cut lies in a pause: a second of tone ends where the first sentence does.
        assert found[0][1] % (1 + pause) == pytest.approx(1, abs=0.05)


def test_long_speech_is_neither_lost_nor_repeated(server: EmbeddedServer) -> None:
    """Every stretch has its own pitch; each is in one sentence."""
    pitches = range(300, 700, 100)
    speech = [part for hertz in pitches for part in (tone(3.0, hertz), silence(1.0))]
    sentences = finals(recognise(server.url, to_pcm(*speech), semantic_punctuation_enabled=True))
    assert [s["text"] for s in sentences] == [f"tone {hertz}" for hertz in pitches]


def read(path: Path) -> Samples:
    with av.open(str(path)) as container:
        parts = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    return np.concatenate(parts).astype(np.float32) / 32768


def test_the_noise_threshold_decides_what_is_speech(
    listening: EmbeddedServer, speech: Path
) -> None:
    voice = read(speech / "en" / "cards_005.wav")
    noise = read(speech / "noise" / "speechbrain_noise1.wav")[: voice.size + 32000]
    mixed = noise.copy()
    mixed[16000 : 16000 + voice.size] += 0.1 * voice
    mixed *= 0.5 / np.abs(mixed).max()

    def seconds(threshold: float) -> float:
        found = spans(listening.url, mixed, speech_noise_threshold=threshold)
        return sum(end - begin for begin, end in found)

    measured = [seconds(threshold) for threshold in (-1.0, -0.5, 0.0, 0.5, 1.0)]
    assert measured == sorted(measured, reverse=True)
    assert measured[0] > measured[-1]
