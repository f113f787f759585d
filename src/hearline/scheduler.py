"""The one place where threads meet: packets in by one thread, batches decoded by the engine's own.

The caller's side (`Scheduler.feed` and its kin) does O(1) work per packet: it appends bytes and, if
the session is not under way already, puts it in line. Decoder threads take what is in line, at most
one batch, never wait to fill one, and hand all that a step brought over in one call. A session is
in at most one batch at a time, so it needs no lock. It knows no event loop and no clock.
"""

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Final, TypeAlias

import numpy as np

from hearline.engines.base import Engine, Stream
from hearline.errors import EngineError, HearlineError
from hearline.session import Session
from hearline.speech import Transcript, Turn
from hearline.vad.detector import Detector

_LOG: Final = logging.getLogger(__name__)

_TURN_BYTES: Final = 32 * 1024
"""Most bytes of one session in one step: about 1 s of PCM, so that no session starves the rest."""


class Job:
    """A session in the scheduler's care; its holder feeds it and reads `backlog`."""

    __slots__ = ("cancelled", "ending", "error", "inbox", "inbox_bytes", "queued", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.inbox: deque[bytes | tuple[Turn, ...]] = deque()
        self.inbox_bytes = 0
        self.ending = False
        self.queued = False
        self.cancelled = False
        self.error: HearlineError | None = None

    @property
    def backlog(self) -> int:
        """Bytes that were fed and not yet taken by a decoder thread."""
        return self.inbox_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one step brought for one session.

    Attributes:
        job: The session.
        transcripts: New transcripts in order.
        received: Samples of audio received so far.
        finished: Whether this is the last report, all being well.
        error: Why the session failed; then this is the last report too.

    """

    job: Job
    transcripts: tuple[Transcript, ...]
    received: int
    finished: bool = False
    error: HearlineError | None = None


Deliver: TypeAlias = Callable[[Sequence[Report]], None]
"""Takes the reports of one step; called in a decoder thread, so it must not block."""


class Scheduler:
    """Runs the sessions of one engine on the engine's decoder threads."""

    def __init__(self, engine: Engine, detector: Detector, deliver: Deliver) -> None:
        """Start the decoder threads.

        Args:
            engine: Decodes; it says how many threads are of use.
            detector: Judges frames, shared by all sessions.
            deliver: Takes the reports.

        """
        self._engine = engine
        self._detector = detector
        self._deliver = deliver
        self._line: deque[Job] = deque()
        self._load = 0
        self._changed = Condition()
        self._closing = False
        self._threads = [
            Thread(target=self._run, name=f"hearline-{engine.name}-{number}", daemon=True)
            for number in range(engine.parallelism)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def load(self) -> int:
        """How many sessions are in care."""
        return self._load

    def open(self, session: Session) -> Job:
        """Take a session into care, until it has ended or is cancelled."""
        with self._changed:
            self._load += 1
        return Job(session)

    def feed(self, job: Job, data: bytes) -> None:
        """Append a packet; the caller holds back when `Job.backlog` grows."""
        with self._changed:
            if job.cancelled:
                return
            job.inbox.append(data)
            job.inbox_bytes += len(data)
            self._enqueue(job)

    def update_context(self, job: Job, context: tuple[Turn, ...]) -> None:
        """Replace the session's context for the packets that are fed after this."""
        with self._changed:
            if job.cancelled:
                return
            if job.inbox and isinstance(job.inbox[-1], tuple):
                job.inbox.pop()  # nothing was fed under the one before
            job.inbox.append(context)
            self._enqueue(job)

    def finish(self, job: Job) -> None:
        """Declare the end of the session's audio; its last report will say so."""
        with self._changed:
            job.ending = True
            self._enqueue(job)

    def cancel(self, job: Job) -> None:
        """Give a session up: no report follows but those under way, its memory is freed."""
        with self._changed:
            self._let_go(job)
            job.inbox.clear()
            job.inbox_bytes = 0
            self._enqueue(job)

    def close(self) -> None:
        """Stop the decoder threads after the steps under way; reports stop."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _enqueue(self, job: Job) -> None:
        if not job.queued:
            job.queued = True
            self._line.append(job)
            self._changed.notify()

    def _let_go(self, job: Job) -> None:
        if not job.cancelled:
            job.cancelled = True
            self._load -= 1

    def _run(self) -> None:
        while batch := self._take():
            reports = self._step([job for job in batch if not job.cancelled])
            if reports:
                self._deliver(reports)
            self._release(batch)

    def _take(self) -> list[Job]:
        """Wait for work and take a batch of it; empty when closing."""
        with self._changed:
            while not self._line and not self._closing:
                self._changed.wait()
            if self._closing:
                return []
            size = min(len(self._line), self._engine.batch_limit)
            return [self._line.popleft() for _ in range(size)]

    def _release(self, batch: Iterable[Job]) -> None:
        """Put the jobs that have more to do back in line, and let the ended ones go."""
        with self._changed:
            for job in batch:
                job.queued = False
                if job.cancelled or job.error is not None or job.session.finished:
                    job.session.close()
                    self._let_go(job)
                elif _has_work(job):
                    self._enqueue(job)

    def _step(self, batch: Sequence[Job]) -> list[Report]:
        """Advance each job: its packets, its frames, one decode, its transcripts."""
        for job in batch:
            with self._failing_alone(job):
                self._take_in(job)
        self._judge([job for job in batch if job.error is None])
        self._decode([job for job in batch if job.error is None])
        reports: list[Report] = []
        for job in batch:
            transcripts: list[Transcript] = []
            if job.error is None:
                with self._failing_alone(job):
                    transcripts = job.session.poll()
            finished = job.error is None and job.session.finished
            reports.append(
                Report(
                    job=job,
                    transcripts=tuple(transcripts),
                    received=job.session.received,
                    finished=finished,
                    error=job.error,
                )
            )
        return reports

    def _take_in(self, job: Job) -> None:
        """Feed a turn's worth of the inbox to the session, and the end when it is reached."""
        taken: list[bytes] = []
        with self._changed:
            room = _TURN_BYTES
            while job.inbox and room > 0:
                data = job.inbox.popleft()
                if isinstance(data, tuple):
                    if taken:  # the packets before it are for the context before it
                        job.inbox.appendleft(data)
                        break
                    job.session.update_context(data)
                    continue
                if len(data) > room:
                    job.inbox.appendleft(data[room:])
                    data = data[:room]
                room -= len(data)
                job.inbox_bytes -= len(data)
                taken.append(data)
            ending = job.ending and not job.inbox
            if ending:
                job.ending = False
        if taken:
            job.session.feed(b"".join(taken))
        if ending:
            job.session.finish()

    def _judge(self, jobs: Sequence[Job]) -> None:
        """Judge all pending frames: one call for the next frame of every session."""
        while pending := [
            (job, frame) for job in jobs if (frame := job.session.next_frame()) is not None
        ]:
            jobs = [job for job, _ in pending]
            probabilities = self._detector.probabilities(
                [job.session.detector_state for job in jobs],
                np.stack([frame for _, frame in pending]),
            )
            for job, probability in zip(jobs, probabilities, strict=True):
                with self._failing_alone(job):
                    job.session.hear(probability)
            jobs = [job for job in jobs if job.error is None]

    def _decode(self, jobs: Sequence[Job]) -> None:
        """Advance every ready stream by one step, in one batch if that succeeds."""
        ready = [(job, stream) for job in jobs for stream in job.session.ready_streams()]
        limit = self._engine.batch_limit
        for start in range(0, len(ready), limit):
            chunk = ready[start : start + limit]
            try:
                self._engine.decode([stream for _, stream in chunk])
            except Exception:  # noqa: BLE001 - whatever it was, it must fail one session only
                self._decode_alone(chunk)

    def _decode_alone(self, chunk: Iterable[tuple[Job, Stream]]) -> None:
        """Decode one by one after a batch failed, to fail only those at fault."""
        for job, stream in chunk:
            if job.error is None:
                with self._failing_alone(job):
                    self._engine.decode([stream])

    @contextmanager
    def _failing_alone(self, job: Job) -> Generator[None]:
        """Do a part of a job's step; whatever it raises fails that job alone."""
        try:
            yield
        except HearlineError as error:
            job.error = error
        except Exception:  # noqa: BLE001 - foreign code may raise anything; it fails this one only
            _LOG.exception("A session failed in engine %s", self._engine.name)
            job.error = EngineError("The recogniser failed on this session.")


def _has_work(job: Job) -> bool:
    return bool(job.inbox or job.ending or job.session.ready_streams())
