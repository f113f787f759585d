import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pocketsphinx
import psutil
import pytest

from hearline.engines.cepstra import COEFFICIENTS, FrontEnd
from hearline.engines.pocketsphinx import PocketSphinx, PocketSphinxStream
from hearline.errors import EngineError
from hearline.speech import SAMPLE_RATE, Hints, Hypothesis, Samples

PARENT = """
import time
from hearline.engines.pocketsphinx import PocketSphinx

engine = PocketSphinx(workers=2)
engine.warm_up()
print("warm", flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="session")
def clip(speech: Path) -> Callable[[str], Samples]:
    """Read a clip of real speech that is stored as signed 16-bit samples at 16 kHz."""

    def read(name: str) -> Samples:
        path = speech / "en" / name
        header = 44 if path.suffix == ".wav" else 0
        return np.fromfile(path, "<i2", offset=header).astype(np.float32) / 32_768

    return read


@pytest.fixture(scope="module")
def engine() -> Iterator[PocketSphinx]:
    shared = PocketSphinx(workers=2)
    shared.warm_up()
    yield shared
    shared.close()


def feed(engine: PocketSphinx, stream: PocketSphinxStream, samples: Samples) -> None:
    stream.accept(samples)
    while stream.ready:
        engine.decode([stream])


def end(engine: PocketSphinx, stream: PocketSphinxStream) -> Hypothesis:
    stream.finish()
    while not stream.done:
        engine.decode([stream])
    stream.close()
    return stream.hypothesis()


def recognise(engine: PocketSphinx, samples: Samples, cut: int | None = None) -> Hypothesis:
    stream = engine.open(Hints())
    for begin in range(0, samples.size, cut or samples.size):
        feed(engine, stream, samples[begin : begin + (cut or samples.size)])
    return end(engine, stream)


def test_real_speech_gives_its_words(engine, clip):
    assert recognise(engine, clip("goforward.raw")).text == "go forward ten meters"


def test_word_times_increase_and_lie_within_the_audio(engine, clip):
    samples = clip("cards_005.wav")
    words = recognise(engine, samples).words
    times = [time for word in words for time in (word.begin, word.end)]
    assert len(words) == 9
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= samples.size
    assert all(word.begin < word.end for word in words)


def test_words_of_a_final_carry_posteriors(engine, clip):
    words = recognise(engine, clip("something.raw")).words
    confidences = {word.confidence for word in words}
    assert all(value is not None and 0 <= value <= 1 for value in confidences)
    assert len(confidences) > 1


def test_words_come_while_speech_goes_on(engine, clip):
    stream = engine.open(Hints())
    lengths = []
    for samples in np.split(clip("picovoice_numbers.wav"), [32_000, 64_000, 96_000]):
        feed(engine, stream, samples)
        lengths.append(len(stream.hypothesis().words))
    stream.close()
    assert 0 < lengths[0] < lengths[1] < lengths[2]


def test_a_partial_does_not_depend_on_how_audio_is_cut(engine, clip):
    samples = clip("goforward.raw")[: 2 * SAMPLE_RATE]
    partials = []
    for cut in (333, samples.size):
        stream = engine.open(Hints())
        for begin in range(0, samples.size, cut):
            feed(engine, stream, samples[begin : begin + cut])
        partials.append(stream.hypothesis())
        stream.close()
    assert partials[0].words
    assert partials[0] == partials[1]


@pytest.mark.parametrize(
    ("name", "cuts"), [("cards_001.wav", (1, 160, 1_600)), ("cards_005.wav", (4_001,))]
)
def test_a_final_does_not_depend_on_how_audio_is_cut(engine, clip, name, cuts):
    samples = clip(name)
    whole = recognise(engine, samples)
    assert whole.words
    assert all(recognise(engine, samples, cut) == whole for cut in cuts)


def test_a_final_does_not_depend_on_what_was_decoded_before(clip):
    first, other = clip("cards_005.wav"), clip("cards_001.wav")
    fresh = PocketSphinx(workers=1)
    before = recognise(fresh, first)
    recognise(fresh, other)
    after = recognise(fresh, first)
    fresh.close()
    assert before == after


def test_two_streams_at_once_get_their_own_words(engine, clip):
    clips = [clip("cards_001.wav"), clip("cards_003.wav")]
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(lambda samples: recognise(engine, samples, 1_600), clips))
    assert [hypothesis.text for hypothesis in together] == ["ten of clubs", "seven of clubs"]


def test_a_stream_above_the_streaming_limit_gets_its_final(clip):
    crowded = PocketSphinx(workers=1, streaming_limit=1)
    samples = clip("goforward.raw")[:24_000]
    streams = [crowded.open(Hints()) for _ in range(2)]
    for stream in streams:
        feed(crowded, stream, samples)
    partials = [stream.hypothesis().text for stream in streams]
    finals = [end(crowded, stream).text for stream in streams]
    crowded.close()
    assert partials[0]
    assert not partials[1]
    assert finals[0]
    assert finals[0] == finals[1]


def test_a_closed_stream_makes_room_for_another(clip):
    crowded = PocketSphinx(workers=1, streaming_limit=1)
    samples = clip("goforward.raw")[:24_000]
    abandoned = crowded.open(Hints())
    feed(crowded, abandoned, samples)
    abandoned.close()
    stream = crowded.open(Hints())
    feed(crowded, stream, samples)
    partial = stream.hypothesis()
    crowded.close()
    assert partial.words


def test_a_killed_worker_fails_only_its_own_streams(engine, clip):
    samples = clip("cards_001.wav")
    streams = [engine.open(Hints()) for _ in range(2)]
    for stream in streams:
        feed(engine, stream, samples[:8_000])
    os.kill(engine.worker_pids[0], signal.SIGKILL)
    failures = []
    for stream in streams:
        try:
            feed(engine, stream, samples[8_000:])
            assert end(engine, stream).text == "ten of clubs"
        except EngineError as error:
            failures.append(error.message)
            stream.close()
    assert failures == ["a PocketSphinx worker ended unexpectedly, by signal 9"]


def test_a_killed_worker_is_replaced(clip):
    lone = PocketSphinx(workers=1)
    lone.warm_up()
    psutil.Process(lone.worker_pids[0]).kill()
    psutil.wait_procs([psutil.Process(pid) for pid in lone.worker_pids], timeout=5)
    hypothesis = recognise(lone, clip("cards_001.wav"))
    lone.close()
    assert hypothesis.text == "ten of clubs"


def test_a_hung_worker_is_ended_and_replaced(clip):
    lone = PocketSphinx(workers=1, patience_s=5.0)
    lone.warm_up()
    hung = lone.worker_pids[0]
    os.kill(hung, signal.SIGSTOP)
    stream = lone.open(Hints())
    with pytest.raises(EngineError, match="no sign of life"):
        feed(lone, stream, clip("cards_001.wav"))
    stream.close()
    hypothesis = recognise(lone, clip("cards_001.wav"))
    pids = lone.worker_pids
    lone.close()
    assert hung not in pids
    assert hypothesis.text == "ten of clubs"


def test_closing_leaves_no_process_and_may_be_repeated():
    before = {child.pid for child in psutil.Process().children()}
    closing = PocketSphinx(workers=2)
    pids = set(closing.worker_pids)
    closing.close()
    closing.close()
    assert len(pids) == 2
    assert {child.pid for child in psutil.Process().children()} == before


def test_closing_frees_a_thread_that_waits_for_a_worker(clip):
    lone = PocketSphinx(workers=1)
    lone.warm_up()
    os.kill(lone.worker_pids[0], signal.SIGSTOP)
    stream = lone.open(Hints())
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(feed, lone, stream, clip("goforward.raw"))
        lone.close()
        assert isinstance(waiting.exception(timeout=10), EngineError)


def test_workers_end_with_their_parent():
    parent = psutil.Popen(
        [
            sys.executable,
            "-c",
            PARENT,
        ],
        stdout=subprocess.PIPE,
    )
    assert parent.stdout.readline() == b"warm\n"
    workers = parent.children()
    parent.kill()
    parent.communicate()
    gone, alive = psutil.wait_procs(workers, timeout=10)
    assert len(gone) == 2
    assert not alive


def test_an_interrupt_is_left_to_the_parent(engine, clip):
    engine.warm_up()
    for pid in engine.worker_pids:
        os.kill(pid, signal.SIGINT)
    assert recognise(engine, clip("cards_001.wav")).text == "ten of clubs"


def test_cepstra_are_those_of_sphinx(clip, tmp_path):
    samples = (clip("cards_001.wav") * 32_768).astype(np.int16)
    sphinx = pocketsphinx.Decoder(pocketsphinx.Config(loglevel="FATAL", mfclogdir=str(tmp_path)))
    sphinx.start_utt()
    sphinx.process_raw(samples.tobytes(), no_search=True, full_utt=True)
    sphinx.end_utt()
    (log,) = tmp_path.iterdir()
    theirs = np.fromfile(log, ">f4", offset=4).reshape(-1, COEFFICIENTS)
    front_end = FrontEnd()
    parts = [front_end.accept(part) for part in np.split(samples, [1, 700, 9_000])]
    ours = np.concatenate([*parts, front_end.finish()])
    assert ours.shape == theirs.shape
    assert np.allclose(ours, theirs, atol=1e-3)


def test_an_empty_stream_gives_an_empty_hypothesis(engine):
    stream = engine.open(Hints())
    assert end(engine, stream) == Hypothesis()


@pytest.mark.parametrize("samples", [1, 160, 500, 2 * SAMPLE_RATE])
def test_silence_gives_no_words(engine, samples):
    assert not recognise(engine, np.zeros(samples, np.float32)).words
