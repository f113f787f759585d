"""Measure how late results arrive: from the server's send to the client's `on_event`.

Our `Recognition` and the official one, each in a process of its own, take turns against one server
in another; both send packets of 100 ms in real time. The server answers every packet with one
result at a random moment of the next 100 ms, stamped with the monotonic clock, which all processes
of a machine share (on Linux and macOS).

    python benchmarks/delivery.py [--official DIR] [--seconds 6] [--rounds 3] [--json]

DIR is where `pip install --target DIR dashscope` has put the official package; by default what
DASHSCOPE_WHEEL says. Without it only ours is measured.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PACKET_BYTES = 3200
PACKET_S = 0.1
MODULES = {"hearline": "hearline", "official": "dashscope.audio.asr"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """How late the results of one client arrived, in ms."""

    client: str
    results: int
    median_ms: float
    p95_ms: float
    max_ms: float


async def serve() -> None:
    """Answer packets until the parent ends this process; the first line printed is the URL."""
    from websockets.asyncio.server import ServerConnection, serve  # noqa: PLC0415

    dice = random.Random(0)  # noqa: S311 - the same moments in every run

    async def talk(connection: ServerConnection) -> None:
        task_id = json.loads(await connection.recv())["header"]["task_id"]

        async def say(event: str, payload: dict[str, Any]) -> None:
            header = {"task_id": task_id, "event": event, "attributes": {}}
            await connection.send(json.dumps({"header": header, "payload": payload}))

        async def answer() -> None:
            await asyncio.sleep(dice.uniform(0, PACKET_S))
            sentence = {"sentence_id": 1, "begin_time": 0, "end_time": None, "words": []}
            stamp = {"text": str(time.monotonic_ns()), "sentence_end": False}
            await say("result-generated", {"output": {"sentence": sentence | stamp}})

        await say("task-started", {})
        answers: list[asyncio.Task[None]] = []
        async for message in connection:
            if isinstance(message, str):
                break
            answers.append(asyncio.create_task(answer()))
        await asyncio.gather(*answers)
        await say("task-finished", {"output": {}, "usage": None})
        await connection.wait_closed()

    async with serve(talk, "127.0.0.1", 0, compression=None) as server:
        host, port = next(iter(server.sockets)).getsockname()
        print(f"ws://{host}:{port}/api-ws/v1/inference", flush=True)
        await server.serve_forever()


def measure(client: str, url: str, seconds: float) -> list[float]:
    """Speak for a while as one of the clients and return the lateness of every result, in ms."""
    module = __import__(MODULES[client], fromlist=["Recognition", "RecognitionCallback"])
    late_ms: list[float] = []

    class Callback(module.RecognitionCallback):
        def on_event(self, result: Any) -> None:  # noqa: ANN401 - of either package
            stamp_ns = int(result.get_sentence()["text"])
            late_ms.append((time.monotonic_ns() - stamp_ns) / 1e6)

        def on_error(self, result: Any) -> None:  # noqa: ANN401 - of either package
            sys.exit(f"{client} failed: {result.message}")

    recognition = module.Recognition(
        model="m",
        callback=Callback(),
        format="pcm",
        sample_rate=16000,
        base_address=url,
        api_key="sk-none",
    )
    recognition.start()
    time.sleep(1)  # the connection is up
    next_s = time.monotonic()
    for _ in range(round(seconds / PACKET_S)):
        recognition.send_audio_frame(bytes(PACKET_BYTES))
        next_s += PACKET_S
        time.sleep(max(0.0, next_s - time.monotonic()))
    recognition.stop()
    return late_ms


@contextmanager
def server_process() -> Generator[str]:
    """Run the server in a process of its own and yield its URL."""
    command = [sys.executable, __file__, "--role", "server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def run_client(client: str, url: str, seconds: float, official: Path | None) -> list[float]:
    """Measure one client once, in a process of its own."""
    command = [sys.executable, __file__, "--role", client, "--url", url, "--seconds", str(seconds)]
    paths = {"PYTHONPATH": str(official)} if client == "official" else {}
    done = subprocess.run(
        command, env=os.environ | paths, stdout=subprocess.PIPE, check=True, text=True
    )
    return json.loads(done.stdout)


def summarise(client: str, late_ms: list[float]) -> Lateness:
    """Return median, 95th percentile and maximum."""
    return Lateness(
        client=client,
        results=len(late_ms),
        median_ms=round(statistics.median(late_ms), 3),
        p95_ms=round(statistics.quantiles(late_ms, n=20)[-1], 3),
        max_ms=round(max(late_ms), 3),
    )


def report(found: list[Lateness], *, as_json: bool) -> None:
    """Print a table or JSON, with the ratio of the medians."""
    ratio = round(found[-1].median_ms / found[0].median_ms) if len(found) > 1 else None
    if as_json:
        print(json.dumps({"clients": [asdict(one) for one in found], "median_ratio": ratio}))
        return
    print(f"{'client':10} {'results':>8} {'median ms':>10} {'p95 ms':>10} {'max ms':>10}")
    for one in found:
        print(
            f"{one.client:10} {one.results:8} {one.median_ms:10.2f} {one.p95_ms:10.2f} "
            f"{one.max_ms:10.2f}"
        )
    if ratio is not None:
        print(f"The official median is {ratio} times ours.")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--official", type=Path, default=os.environ.get("DASHSCOPE_WHEEL"))
    parser.add_argument("--seconds", type=float, default=6.0, help="of audio per run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--role", choices=["server", *MODULES], help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role == "server":
        asyncio.run(serve())
    elif arguments.role:
        print(json.dumps(measure(arguments.role, arguments.url, arguments.seconds)))
    else:
        clients = ["hearline"] + (["official"] if arguments.official else [])
        late_ms: dict[str, list[float]] = {client: [] for client in clients}
        with server_process() as url:
            for _ in range(arguments.rounds):
                for client in clients:
                    late_ms[client] += run_client(
                        client, url, arguments.seconds, arguments.official
                    )
        report([summarise(client, late_ms[client]) for client in clients], as_json=arguments.json)


if __name__ == "__main__":
    main()
