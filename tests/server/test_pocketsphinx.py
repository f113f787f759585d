"""The service over PocketSphinx, on real speech."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from kit import finals, finish_task, packets, receive, receive_to_end, recognise, run_task
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from hearline.config import Settings
from hearline.engines.pocketsphinx import PocketSphinx
from hearline.server.app import Server
from hearline.server.running import EmbeddedServer


@pytest.fixture(scope="module")
def engine() -> PocketSphinx:
    return PocketSphinx(workers=2)


@pytest.fixture(scope="module")
def server(engine: PocketSphinx) -> Iterator[EmbeddedServer]:
    def load() -> PocketSphinx:
        engine.warm_up()
        return engine

    settings = Settings(port=0)
    with EmbeddedServer(Server(settings, engine=load), settings) as running:
        yield running


@pytest.fixture(scope="module")
def cards(speech: Path) -> bytes:
    return (speech / "en" / "cards_005.wav").read_bytes()


@pytest.fixture(scope="module")
def forward(speech: Path) -> bytes:
    return (speech / "en" / "goforward.raw").read_bytes()


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [sentence["text"] for sentence in finals(messages)]


CARDS = "Eight of spades four of clubs seven of hearts."
FORWARD = "Go forward ten meters."


def test_two_sessions_at_once_get_their_own_words(
    server: EmbeddedServer, cards: bytes, forward: bytes
) -> None:
    with ThreadPoolExecutor(4) as pool:
        jobs = [
            pool.submit(recognise, server.url, audio, task_id=f"t{number}")
            for number, audio in enumerate([cards, forward] * 2)
        ]
        assert [texts(job.result()) for job in jobs] == [[CARDS], [FORWARD]] * 2


@pytest.mark.parametrize("size", [100, 3200, 1_000_000])
def test_finals_do_not_depend_on_the_packets(
    server: EmbeddedServer, cards: bytes, size: int
) -> None:
    (sentence,) = finals(recognise(server.url, cards, size=size))
    (other,) = finals(recognise(server.url, cards))
    assert sentence["text"] == CARDS
    assert sentence == other


@pytest.mark.slow
def test_finals_do_not_depend_on_packets_of_one_byte(
    server: EmbeddedServer, forward: bytes
) -> None:
    (sentence,) = finals(recognise(server.url, forward, size=1))
    (other,) = finals(recognise(server.url, forward))
    assert sentence == other


def test_words_have_times_and_confidences(server: EmbeddedServer, cards: bytes) -> None:
    (sentence,) = finals(recognise(server.url, cards))
    assert "".join(word["text"] + word["punctuation"] for word in sentence["words"]) == CARDS
    times = [time for word in sentence["words"] for time in (word["begin_time"], word["end_time"])]
    assert times == sorted(times)
    assert sentence["begin_time"] <= times[0] <= times[-1] <= sentence["end_time"]
    assert all(0 <= word["confidence"] <= 1 for word in sentence["words"])


def test_a_killed_worker_fails_its_own_session_only(
    server: EmbeddedServer, engine: PocketSphinx, cards: bytes
) -> None:
    with connect(server.url) as doomed, connect(server.url) as spared:
        begin(doomed, cards)
        (victim,) = [worker.pid for worker in engine._workers if worker.load]
        begin(spared, cards)
        os.kill(victim, signal.SIGKILL)
        for connection in (doomed, spared):
            with suppress(ConnectionClosed):  # the doomed one may be told before all is sent
                for packet in packets(cards[len(cards) // 2 :], 3200):
                    connection.send(packet)
        failure = receive_to_end(doomed)[-1]
        assert failure["header"]["event"] == "task-failed"
        assert failure["header"]["error_code"] == "InternalError"
        assert "signal 9" in failure["header"]["error_message"]
        spared.send(finish_task())
        assert texts(receive_to_end(spared)) == [CARDS]
    assert texts(recognise(server.url, cards)) == [CARDS]
    assert victim not in engine.worker_pids


def begin(connection: ClientConnection, audio: bytes) -> None:
    """Send half of the audio and wait for the first words, so that a worker has the stream."""
    connection.send(run_task(format="wav"))
    for packet in packets(audio[: len(audio) // 2], 3200):
        connection.send(packet)
    while receive(connection)["header"]["event"] != "result-generated":
        pass
