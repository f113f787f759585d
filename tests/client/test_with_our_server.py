"""Both shells against the real server, over its scripted engine and on real speech."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from client.drivers import Driver
from kit import packets, serving, silence, to_pcm, tone

from hearline.config import Settings
from hearline.server.app import Server
from hearline.server.running import EmbeddedServer
from hearline.wire.client import Deadlines

AUDIO = to_pcm(silence(0.3), tone(1.0), silence(2.0), tone(1.0, 660), silence(0.5))


@pytest.mark.parametrize("size", [999, 3200, len(AUDIO)])
def test_the_words_come_back_however_the_audio_is_cut(drive: Driver, size: int) -> None:
    with serving() as server:
        outcome = drive(server.url, packets(AUDIO, size))
    assert outcome.error is None
    assert outcome.finals == ["tone 440", "tone 660"]
    assert outcome.usage_s == 5


def test_a_wrong_key_is_refused(drive: Driver) -> None:
    with serving(api_key="sk-right") as server:
        assert drive(server.url, api_key="sk-right").error is None
        refused = drive(server.url, api_key="sk-wrong")
    assert refused.error is not None
    assert refused.error.status_code == 401
    assert refused.code == "InvalidApiKey"


def test_a_bad_parameter_fails_before_any_audio(drive: Driver) -> None:
    with serving() as server:
        outcome = drive(server.url, [], max_sentence_silence=1, deadlines=Deadlines(silence_s=1))
    assert outcome.error is not None
    assert (outcome.error.status_code, outcome.code) == (44, "InvalidParameter")
    assert "max_sentence_silence" in outcome.error.message


@pytest.fixture(scope="module")
def pocketsphinx() -> Iterator[EmbeddedServer]:
    settings = Settings(port=0)
    with EmbeddedServer(Server(settings), settings) as server:
        yield server


def test_real_speech_is_recognised(
    drive: Driver, pocketsphinx: EmbeddedServer, speech: Path
) -> None:
    audio = (speech / "en" / "goforward.raw").read_bytes()
    outcome = drive(pocketsphinx.url, packets(audio, 3200))
    assert outcome.error is None
    assert outcome.finals == ["Go forward ten meters."]
    assert outcome.usage_s == 3
