"""Measure the word error rate on the English clips that have a transcript.

Normaliser, for reference and hypothesis alike: lower case; everything but letters, digits and
apostrophes within words is a space (so ``letter-press`` is two words). Numbers stay as they are
written; the transcripts have them in words, as English PocketSphinx does.

    python benchmarks/accuracy.py [--engine] [--shared DIR] [--json]

Each clip goes through a server and the SDK, as `hearline transcribe` does it; with ``--engine``
straight to the engine, as one utterance.
"""

import argparse
import asyncio
import csv
import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import av
import numpy as np

from hearline import AsyncRecognition
from hearline.config import Settings
from hearline.engines.pocketsphinx import PocketSphinx
from hearline.server.app import Server
from hearline.server.running import EmbeddedServer, configure_logging
from hearline.speech import SAMPLE_RATE, Hints, Samples

Recogniser = Callable[[Path], str]
"""Returns the text of a clip."""

PACKET = SAMPLE_RATE // 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How one clip fared."""

    clip: str
    words: int
    errors: int
    reference: str
    hypothesis: str


def normalise(text: str) -> list[str]:
    """Return the words that are compared."""
    return re.findall(r"[a-z0-9]+(?:'[a-z0-9]+)*", text.lower())


def edits(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Return the fewest substitutions, insertions and deletions between two word sequences."""
    row = list(range(len(hypothesis) + 1))
    for count, word in enumerate(reference, 1):
        above, row = row, [count]
        for column, other in enumerate(hypothesis, 1):
            kept = above[column - 1] + (word != other)
            row.append(min(kept, above[column] + 1, row[-1] + 1))
    return row[-1]


def references(shared: Path) -> Iterator[tuple[Path, str]]:
    """Yield every English clip that has a transcript, with it."""
    with (shared / "speech/MANIFEST.tsv").open(encoding="utf-8", newline="") as manifest:
        for row in csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["language"] == "en" and row["transcript"]:
                yield shared / "speech" / row["file"], row["transcript"]


def read(path: Path) -> Samples:
    """Decode a clip; ``.raw`` is signed 16-bit at 16 kHz."""
    if path.suffix == ".raw":
        return np.fromfile(path, np.int16).astype(np.float32) / np.float32(32_768)
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    with av.open(path) as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


@contextmanager
def engine() -> Generator[Recogniser]:
    """Give the PocketSphinx engine each clip as one utterance, in packets of 100 ms."""
    pocketsphinx = PocketSphinx(workers=1)
    pocketsphinx.warm_up()
    audio_s = 0.0
    waits_s: list[float] = []

    def recognise(path: Path) -> str:
        nonlocal audio_s
        samples = read(path)
        audio_s += samples.size / SAMPLE_RATE
        stream = pocketsphinx.open(Hints())
        for begin in range(0, samples.size, PACKET):
            stream.accept(samples[begin : begin + PACKET])
            while stream.ready:
                pocketsphinx.decode([stream])
        end = time.perf_counter()
        stream.finish()
        while not stream.done:
            pocketsphinx.decode([stream])
        waits_s.append(time.perf_counter() - end)
        return stream.hypothesis().text

    yield recognise
    pocketsphinx.close()
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"CPU seconds per second of audio {(spent.ru_utime + spent.ru_stime) / audio_s:.2f}, "
        f"from end of audio to final {sum(waits_s) / audio_s:.2f} s per second of audio",
        file=sys.stderr,
    )


@contextmanager
def service() -> Generator[Recogniser]:
    """Send each clip to a server in this process, which parts it into sentences."""
    settings = Settings(port=0)
    with EmbeddedServer(Server(settings), settings) as server:

        async def converse(pcm: bytes) -> str:
            session = AsyncRecognition(
                model="pocketsphinx", format="pcm", sample_rate=16_000, base_address=server.url
            )
            async with session, asyncio.TaskGroup() as group:
                group.create_task(session.feed([pcm]))
                texts = [sentence.text async for sentence in session if sentence.sentence_end]
            return " ".join(texts)

        yield lambda path: asyncio.run(converse((read(path) * 32_767).astype("<i2").tobytes()))


def measure(recognise: Recogniser, shared: Path) -> list[Score]:
    """Recognise every clip and compare."""
    scores: list[Score] = []
    for path, transcript in references(shared):
        reference, hypothesis = normalise(transcript), normalise(recognise(path))
        scores.append(
            Score(
                clip=path.name,
                words=len(reference),
                errors=edits(reference, hypothesis),
                reference=" ".join(reference),
                hypothesis=" ".join(hypothesis),
            )
        )
    return scores


def show(scores: Sequence[Score]) -> None:
    """Print a line for each clip and one for all."""
    for score in scores:
        rate = 100 * score.errors / score.words
        print(f"{score.clip:40} {score.errors:3}/{score.words:3} {rate:6.1f} %  {score.hypothesis}")
    errors = sum(score.errors for score in scores)
    words = sum(score.words for score in scores)
    print(f"{'all':40} {errors:3}/{words:3} {100 * errors / words:6.1f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    beside = Path(__file__).parents[2] / "shared"
    parser.add_argument(
        "--shared",
        type=Path,
        default=Path(os.environ.get("HEARLINE_SHARED", beside)),
        help="directory with speech/MANIFEST.tsv",
    )
    parser.add_argument("--json", action="store_true", help="print the scores as JSON")
    parser.add_argument("--engine", action="store_true", help=engine.__doc__)
    arguments = parser.parse_args()
    configure_logging("critical")
    with (engine if arguments.engine else service)() as recognise:
        scores = measure(recognise, arguments.shared)
    if arguments.json:
        print(json.dumps([asdict(score) for score in scores], indent=2))
    else:
        show(scores)


if __name__ == "__main__":
    main()
