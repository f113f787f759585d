"""Threads, batches and faults that stay alone."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from kit import packets, pitch_script, silence, to_pcm, tone

from hearline.audio.decoder import open_decoder
from hearline.engines.base import Stream
from hearline.engines.scripted import Line, Scripted, saying
from hearline.errors import AudioError, EngineError
from hearline.scheduler import Job, Report, Scheduler
from hearline.session import Session
from hearline.speech import Hints, Samples
from hearline.text.finisher import Finisher, Style
from hearline.vad.loudness import Loudness
from hearline.vad.rules import SilenceRule
from hearline.vad.segmenter import Segmenter

DETECTOR = Loudness()


class Reports:
    """Gathers what a scheduler delivers, and lets a test wait for it."""

    def __init__(self) -> None:
        self.all: list[Report] = []
        self.steps: list[int] = []
        self._changed = threading.Condition()

    def deliver(self, reports: Sequence[Report]) -> None:
        with self._changed:
            self.all += reports
            self.steps.append(len(reports))
            self._changed.notify_all()

    def last(self, job: Job) -> Report:
        """Wait for the last report of a job."""

        def ended() -> bool:
            return any(r.job is job and (r.finished or r.error) for r in self.all)

        with self._changed:
            assert self._changed.wait_for(ended, timeout=20)
        return next(r for r in self.all if r.job is job and (r.finished or r.error))

    def texts(self, job: Job) -> list[str]:
        """The finals of a job that ended."""
        self.last(job)
        return [
            t.hypothesis.text for r in self.all if r.job is job for t in r.transcripts if t.final
        ]


@contextmanager
def scheduling(engine: Scripted) -> Iterator[tuple[Scheduler, Reports]]:
    reports = Reports()
    scheduler = Scheduler(engine, DETECTOR, reports.deliver)
    try:
        yield scheduler, reports
    finally:
        scheduler.close()


def open_job(scheduler: Scheduler, engine: Scripted, declared: str = "pcm") -> Job:
    return scheduler.open(
        Session(
            decoder=open_decoder(declared, 16000),
            detector_state=DETECTOR.open(),
            segmenter=Segmenter(SilenceRule.constant(0.5)),
            engine=engine,
            hints=Hints(),
            finisher=Finisher(Style(), language=None, punctuated=True),
        )
    )


def test_a_session_runs_from_its_packets_to_its_last_report() -> None:
    engine = Scripted(pitch_script)
    with scheduling(engine) as (scheduler, reports):
        job = open_job(scheduler, engine)
        for packet in packets(to_pcm(tone(1.0, 440), silence(1.0), tone(1.0, 660)), 3200):
            scheduler.feed(job, packet)
        scheduler.finish(job)
        assert reports.texts(job) == ["tone 440", "tone 660"]
        assert reports.last(job).received == 48000


@pytest.mark.parametrize("parallelism", [1, 3])
def test_many_sessions_get_their_own_words(parallelism: int) -> None:
    engine = Scripted(pitch_script, parallelism=parallelism)
    with scheduling(engine) as (scheduler, reports):
        jobs = {hertz: open_job(scheduler, engine) for hertz in range(200, 1200, 50)}
        for step in range(15):
            for hertz, job in jobs.items():
                audio = to_pcm(tone(1.5, hertz))
                scheduler.feed(job, audio[step * 3200 : (step + 1) * 3200])
        for job in jobs.values():
            scheduler.finish(job)
        for hertz, job in jobs.items():
            assert reports.texts(job) == [f"tone {hertz}"]


def test_sessions_that_are_ready_together_are_decoded_together() -> None:
    gate = threading.Event()
    sizes: list[int] = []

    class Watched(Scripted):
        def decode(self, streams: Sequence[Stream]) -> None:
            sizes.append(len(streams))
            gate.wait(10)
            super().decode(streams)

    engine = Watched(saying("a"))
    with scheduling(engine) as (scheduler, reports):
        jobs = [open_job(scheduler, engine) for _ in range(9)]
        for job in jobs:
            scheduler.feed(job, to_pcm(tone(0.5)))
        while not sizes:
            time.sleep(0.001)
        gate.set()
        for job in jobs:
            scheduler.finish(job)
            reports.last(job)
    assert max(sizes) == engine.batch_limit


def test_a_failing_session_fails_alone() -> None:
    def fails_on_high_tones(samples: Samples) -> Line:
        line = pitch_script(samples)
        return Line(failure="the cue") if line.text == "tone 900" else line

    engine = Scripted(fails_on_high_tones)
    with scheduling(engine) as (scheduler, reports):
        good, bad = open_job(scheduler, engine), open_job(scheduler, engine)
        for good_packet, bad_packet in zip(
            packets(to_pcm(tone(2, 300)), 3200), packets(to_pcm(tone(2, 900)), 3200), strict=True
        ):
            scheduler.feed(good, good_packet)
            scheduler.feed(bad, bad_packet)
        scheduler.finish(good)
        scheduler.finish(bad)
        assert reports.texts(good) == ["tone 300"]
        error = reports.last(bad).error
        assert isinstance(error, EngineError)
        assert error.message == "the cue"


def test_an_engine_that_raises_anything_fails_one_session(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def breaks(samples: Samples) -> Line:
        if pitch_script(samples).text == "tone 900":
            raise ZeroDivisionError
        return pitch_script(samples)

    engine = Scripted(breaks)
    with scheduling(engine) as (scheduler, reports):
        good, bad = open_job(scheduler, engine), open_job(scheduler, engine)
        scheduler.feed(good, to_pcm(tone(1, 300)))
        scheduler.feed(bad, to_pcm(tone(1, 900)))
        scheduler.finish(good)
        scheduler.finish(bad)
        assert isinstance(reports.last(bad).error, EngineError)
        assert reports.texts(good) == ["tone 300"]
    assert "ZeroDivisionError" in caplog.text


def test_bad_audio_fails_its_session_only() -> None:
    engine = Scripted(pitch_script)
    with scheduling(engine) as (scheduler, reports):
        good, bad = open_job(scheduler, engine), open_job(scheduler, engine)
        scheduler.feed(bad, b"OggS" + bytes(100))
        scheduler.feed(good, to_pcm(tone(1, 300)))
        scheduler.finish(good)
        assert isinstance(reports.last(bad).error, AudioError)
        assert reports.texts(good) == ["tone 300"]


def test_a_long_burst_does_not_hold_up_the_others() -> None:
    engine = Scripted(pitch_script)
    with scheduling(engine) as (scheduler, reports):
        greedy, modest = open_job(scheduler, engine), open_job(scheduler, engine)
        for packet in packets(to_pcm(*[tone(1.0, 300), silence(1.0)] * 100), 64 * 1024):
            scheduler.feed(greedy, packet)
        scheduler.finish(greedy)
        scheduler.feed(modest, to_pcm(tone(1.0, 700)))
        scheduler.finish(modest)
        reports.last(modest)
        assert not any(r.finished for r in reports.all if r.job is greedy)
        assert reports.texts(greedy) == ["tone 300"] * 100


def test_a_cancelled_session_reports_no_more_and_drops_its_audio() -> None:
    engine = Scripted(pitch_script)
    with scheduling(engine) as (scheduler, reports):
        gone, stays = open_job(scheduler, engine), open_job(scheduler, engine)
        scheduler.feed(gone, to_pcm(tone(1.0)))
        scheduler.cancel(gone)
        scheduler.feed(gone, to_pcm(tone(1.0)))
        scheduler.finish(gone)
        assert gone.backlog == 0
        scheduler.feed(stays, to_pcm(tone(1.0, 300)))
        scheduler.finish(stays)
        reports.last(stays)
        assert not any(r.finished for r in reports.all if r.job is gone)


def test_closing_ends_the_threads() -> None:
    before = set(threading.enumerate())
    with scheduling(Scripted(pitch_script, parallelism=4)):
        assert len(set(threading.enumerate()) - before) == 4
    assert set(threading.enumerate()) <= before
