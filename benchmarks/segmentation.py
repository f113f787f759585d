"""Measure where utterances begin and end on real recordings, and what the noise threshold does.

    python benchmarks/segmentation.py [--shared DIR]

Prints the two tables of ``docs/segmentation.md`` as Markdown. Both go through the detector and the
segmenter alone: no engine, no server.

The reference of the first table: stretches in which PocketSphinx, which has no voice activity
detector and hears the whole clip at once, finds words. It is a second opinion, not the truth: it
takes words to begin and end up to 100 ms off, and knows no Mandarin or Japanese, where it finds
words of English instead. "Missed" is reference speech in no utterance; "false" is utterance in no
reference speech, pauses shorter than the threshold counting as speech.

The second table mixes noise with speech whose place is known to the sample.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np

from hearline.engines.pocketsphinx import PocketSphinx
from hearline.speech import SAMPLE_RATE, Hints, Samples
from hearline.vad.choice import open_detector
from hearline.vad.detector import FRAME_SAMPLES
from hearline.vad.rules import SilenceRule
from hearline.vad.segmenter import Segmenter, SpeechStarted

Spans: TypeAlias = list[tuple[int, int]]

CLIPS = (
    "en/two_cities_16k.wav",
    "en/azure_training_audio2.wav",
    "ja/watson_ja-JP_Broadband_sample1.wav",
    "vad/fsmn_vad_example.wav",
)
THRESHOLDS_MS = (200, 800, 1300, 6000)
NOISE_THRESHOLDS = (-1.0, -0.5, -0.2, 0.0, 0.2, 0.5, 1.0)
RATIOS_DB = (20, 10, 5, 0)


def read(path: Path) -> Samples:
    """Decode a clip to 16 kHz mono."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    with av.open(path) as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def judge(samples: Samples, models: Path) -> list[float]:
    """Return the speech probability of each frame."""
    detector = open_detector(models)
    state = detector.open()
    whole = samples[: samples.size - samples.size % FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    return [detector.probabilities([state], frame[None])[0] for frame in whole]


def segment(
    probabilities: Sequence[float], silence_s: float, noise_threshold: float = 0.0
) -> Spans:
    """Return the utterances."""
    segmenter = Segmenter(SilenceRule.constant(silence_s), noise_threshold=noise_threshold)
    boundaries = [segmenter.feed(probability) for probability in probabilities]
    found = [boundary for boundary in [*boundaries, segmenter.finish()] if boundary is not None]
    return [
        (begin.begin, end.end)
        for begin, end in pairwise(found)
        if isinstance(begin, SpeechStarted) and not isinstance(end, SpeechStarted)
    ]


def reference(samples: Samples, engine: PocketSphinx) -> Spans:
    """Return the stretches in which PocketSphinx finds words."""
    stream = engine.open(Hints())
    stream.accept(samples)
    stream.finish()
    while not stream.done:
        engine.decode([stream])
    return [(word.begin, word.end) for word in stream.hypothesis().words]


def covered(spans: Spans, size: int, close: int = 0) -> np.ndarray:
    """Return which samples lie in the spans, gaps up to `close` counting as inside."""
    mask = np.zeros(size, bool)
    last = None
    for begin, end in spans:
        mask[last if last is not None and begin - last <= close else begin : end] = True
        last = end
    return mask


def clips_table(shared: Path) -> Iterator[str]:
    """Yield the rows of the first table."""
    engine = PocketSphinx(workers=1)
    engine.warm_up()
    for name in CLIPS:
        samples = read(shared / "speech" / name)
        probabilities = judge(samples, shared / "models")
        words = reference(samples, engine)
        cells: list[str] = []
        for threshold_ms in THRESHOLDS_MS:
            utterances = segment(probabilities, threshold_ms / 1000)
            inside = covered(utterances, samples.size)
            spoken = covered(words, samples.size)
            closed = covered(words, samples.size, threshold_ms * SAMPLE_RATE // 1000)
            missed = np.count_nonzero(spoken & ~inside) * 1000 // SAMPLE_RATE
            false = np.count_nonzero(inside & ~closed) * 1000 // SAMPLE_RATE
            cells.append(f"{len(utterances)} / {missed} / {false}")
        seconds = samples.size / SAMPLE_RATE
        spoken_s = np.count_nonzero(covered(words, samples.size)) / SAMPLE_RATE
        yield f"| {Path(name).stem} | {seconds:.0f} | {spoken_s:.0f} | {' | '.join(cells)} |"
    engine.close()


def noise_table(shared: Path) -> Iterator[str]:
    """Yield the rows of the second table."""
    noise = read(shared / "speech/noise/speechbrain_noise1.wav")
    voice = read(shared / "speech/en/jfk.wav")
    lead = 3 * SAMPLE_RATE
    place = slice(lead, lead + voice.size)
    long_noise = np.resize(noise, voice.size + 2 * lead)
    for ratio_db in RATIOS_DB:
        gain = np.sqrt(np.mean(voice**2) / np.mean(noise**2)) * 10 ** (-ratio_db / 20)
        mixed = (long_noise * gain).astype(np.float32)
        mixed[place] += voice
        probabilities = judge(mixed / max(1.0, np.abs(mixed).max()), shared / "models")
        cells: list[str] = []
        for threshold in NOISE_THRESHOLDS:
            inside = covered(segment(probabilities, 0.2, threshold), mixed.size)
            heard_ms = np.count_nonzero(inside[place]) * 1000 // SAMPLE_RATE
            outside = np.count_nonzero(inside) - np.count_nonzero(inside[place])
            cells.append(f"{heard_ms} / {outside * 1000 // SAMPLE_RATE}")
        yield f"| {ratio_db} dB | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    beside = Path(__file__).parents[2] / "shared"
    parser.add_argument(
        "--shared", type=Path, default=Path(os.environ.get("HEARLINE_SHARED", beside))
    )
    shared: Path = parser.parse_args().shared
    heads = " | ".join(f"{threshold} ms" for threshold in THRESHOLDS_MS)
    print(f"| clip | s | spoken s | {heads} |")
    print("|---" * (3 + len(THRESHOLDS_MS)) + "|")
    print(*clips_table(shared), sep="\n")
    print()
    print(f"| speech over noise | {' | '.join(map(str, NOISE_THRESHOLDS))} |")
    print("|---" * (1 + len(NOISE_THRESHOLDS)) + "|")
    print(*noise_table(shared), sep="\n")


if __name__ == "__main__":
    main()
