"""What several tests need: audio that needs no voice, a scripted server, a bare client."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from hearline.config import Settings
from hearline.engines.base import Engine
from hearline.engines.scripted import Line, Script, Scripted
from hearline.server.app import Server
from hearline.server.running import EmbeddedServer
from hearline.speech import SAMPLE_RATE, Hypothesis, Samples, Word
from hearline.vad.loudness import Loudness
from hearline.wire.server import Deadlines


def tone(seconds: float, hertz: float = 440.0, rate: int = SAMPLE_RATE) -> Samples:
    """A tone that the loudness detector takes for speech."""
    time = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def to_pcm(*parts: Samples) -> bytes:
    return (np.concatenate(parts) * 32767).astype("<i2").tobytes()


def packets(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def pitch_script(samples: Samples) -> Line:
    """Say the pitch of the tone that was heard: each session's own words."""
    if samples.size < SAMPLE_RATE // 4:
        return Line()
    spectrum = np.abs(np.fft.rfft(samples))
    hertz = int(np.argmax(spectrum)) * SAMPLE_RATE / samples.size
    return Line(text=f"tone {round(hertz / 10) * 10}")


def heard(*words: str, pauses_ms: dict[int, int] | None = None, between: str = " ") -> Hypothesis:
    """What an engine without punctuation gives: words of 200 ms, and pauses after some of them."""
    begin, result = 0, []
    for place, word in enumerate(words):
        result.append(Word(text=word, begin=begin, end=begin + 3200))
        begin += 3200 + 16 * (pauses_ms or {}).get(place, 0)
    return Hypothesis(words=tuple(result), text=between.join(words))


@contextmanager
def serving(
    script: Script | None = None,
    *,
    engine: Engine | None = None,
    api_key: str | None = None,
    deadlines: Deadlines | None = None,
) -> Iterator[EmbeddedServer]:
    """A real server over the scripted engine, or another."""
    threads = set(threading.enumerate())
    settings = Settings(port=0, api_key=api_key)
    server = Server(
        settings,
        engine=lambda: engine or Scripted(script or pitch_script),
        detector=Loudness,
        deadlines=deadlines,
    )
    with EmbeddedServer(server, settings) as running:
        yield running
    assert not [thread for thread in set(threading.enumerate()) - threads if "hearl" in thread.name]


def run_task(task_id: str = "t1", *, model: str = "fun-asr-realtime", **parameters: Any) -> str:
    header = {"action": "run-task", "task_id": task_id, "streaming": "duplex"}
    payload = {
        "task_group": "audio",
        "task": "asr",
        "function": "recognition",
        "model": model,
        "parameters": {"format": "pcm", "sample_rate": 16000, **parameters},
        "input": {},
    }
    return json.dumps({"header": header, "payload": payload})


def finish_task(task_id: str = "t1") -> str:
    header = {"action": "finish-task", "task_id": task_id, "streaming": "duplex"}
    return json.dumps({"header": header, "payload": {"input": {}}})


def receive(connection: ClientConnection) -> dict[str, Any]:
    return json.loads(connection.recv(timeout=20))


def receive_to_end(connection: ClientConnection) -> list[dict[str, Any]]:
    """Everything up to and with the message that ends the task."""
    messages = [receive(connection)]
    while messages[-1]["header"]["event"] not in ("task-finished", "task-failed"):
        messages.append(receive(connection))
    return messages


def finals(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The final sentences; whether one is also the first message of its own depends on speed."""
    results = [m for m in messages if m["header"]["event"] == "result-generated"]
    sentences = [m["payload"]["output"]["sentence"] for m in results]
    return [
        {name: value for name, value in sentence.items() if name != "sentence_begin"}
        for sentence in sentences
        if sentence["sentence_end"]
    ]


def recognise(
    url: str, audio: bytes, *, size: int = 3200, task_id: str = "t1", **parameters: Any
) -> list[dict[str, Any]]:
    """A whole task over a connection of its own; returns all messages."""
    with connect(url, compression=None, max_size=None) as connection:
        connection.send(run_task(task_id, **parameters))
        with suppress(ConnectionClosed):  # a task that failed; what was said before is still read
            for packet in packets(audio, size):
                connection.send(packet)
            connection.send(finish_task(task_id))
        return receive_to_end(connection)
