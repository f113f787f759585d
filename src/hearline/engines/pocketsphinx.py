"""English speech recognition that needs no download: PocketSphinx with the model in its package.

PocketSphinx holds the interpreter lock while it decodes, so it runs in worker processes, one for
each core. This module knows the processes and which utterance is in which; the recogniser itself
is known to `pocketsphinx_worker` alone. Accuracy, cost and method: ``docs/pocketsphinx.md``.
"""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import count
from typing import BinaryIO, Final, cast

import numpy as np

from hearline.engines.base import Stream
from hearline.engines.pocketsphinx_messages import (
    Alive,
    Failed,
    Feed,
    Heard,
    Load,
    Request,
    receive_answer,
    send,
)
from hearline.errors import EngineError
from hearline.speech import Hints, Hypothesis, Samples

_STEP: Final = 1_600
"""Samples from one partial hypothesis to the next: 100 ms, counted from the stream's start."""

_FULL_SCALE: Final = 32_768

_LAST_MOMENTS_S: Final = 1.0
"""Seconds that a process whose pipes broke gets to end by itself, and so to tell its status."""


def _start(streaming_limit: int) -> "subprocess.Popen[bytes]":
    """Start a worker process, which shares nothing with this one but two pipes."""
    command = [sys.executable, "-P", "-m", f"{__name__}_worker", str(streaming_limit)]
    try:
        return subprocess.Popen(  # noqa: S603 - no part of it comes from outside
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as problem:
        raise EngineError(f"no PocketSphinx worker can be started: {problem.strerror}") from problem


class _Worker:
    """A worker process, as this process sees it."""

    def __init__(self, streaming_limit: int) -> None:
        self.load = 0
        """Streams pinned to it; guarded by the engine's lock."""
        self.forget: deque[int] = deque()
        """Utterances that ended early and that it has not been told of."""
        self._lock = threading.Lock()
        self._busy_since: float | None = None
        self._hung = False
        self._process = _start(streaming_limit)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: Request) -> Heard:
        """Send a request and wait for its answer.

        Raises:
            EngineError: The recogniser failed, or the process ended.

        """
        with self._lock:
            try:
                answer = self._exchange(request)
            except (OSError, EOFError, ValueError) as problem:
                # ValueError is a pipe that `close` has closed already.
                raise EngineError(self._obituary()) from problem
            finally:
                self._busy_since = None
        if isinstance(answer, Failed):
            raise EngineError(f"PocketSphinx failed: {answer.message}")
        return answer

    def _exchange(self, request: Request) -> Heard | Failed:
        self._busy_since = time.monotonic()
        send(cast("BinaryIO", self._process.stdin), request)
        while isinstance(answer := receive_answer(cast("BinaryIO", self._process.stdout)), Alive):
            self._busy_since = time.monotonic()
        return answer

    def _obituary(self) -> str:
        """Wait for the process to be gone, so that `alive` is true of none that is ending."""
        try:
            status = self._process.wait(_LAST_MOMENTS_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        if self._hung:
            return "a PocketSphinx worker gave no sign of life and was ended"
        how = f"by signal {-status}" if status < 0 else f"with status {status}"
        return f"a PocketSphinx worker ended unexpectedly, {how}"

    def end_if_hung(self, patience_s: float) -> None:
        """Kill the process if it has owed an answer for too long."""
        since = self._busy_since
        if since is not None and time.monotonic() - since > patience_s:
            self._hung = True
            self._process.kill()

    def close(self) -> None:
        """End the process, which holds nothing worth saving, and whoever waits for it."""
        self._process.kill()
        self._process.wait()
        with self._lock:
            for pipe in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    cast("BinaryIO", pipe).close()


class PocketSphinxStream:
    """One utterance; see `hearline.engines.base.Stream`.

    It is pinned to a worker by its first decode step. Its partial hypotheses begin after the first
    second and have no confidences. The final one depends on the utterance's samples and nothing
    else.
    """

    def __init__(self, engine: "PocketSphinx", number: int) -> None:
        self._engine = engine
        self._number = number
        self._worker: _Worker | None = None
        self._pending: list[Samples] = []
        self._accepted = 0
        self._decoded = 0
        self._finished = False
        self._done = False
        self._hypothesis = Hypothesis()
        self._failure: str | None = None

    @property
    def ready(self) -> bool:
        """Whether another 100 ms are full, or the utterance is finished."""
        behind = self._accepted // _STEP > self._decoded // _STEP
        return not self._done and (self._finished or behind)

    @property
    def done(self) -> bool:
        """Whether the hypothesis is final."""
        return self._done

    def accept(self, samples: Samples) -> None:
        """Append audio of shape ``(n,)``."""
        self._pending.append(samples)
        self._accepted += samples.size

    def finish(self) -> None:
        """Declare that no more audio will come."""
        self._finished = True
        # Without audio there is nothing to ask a worker.
        self._done = not self._accepted

    def hypothesis(self) -> Hypothesis:
        """Return the best words so far, with indices from the stream's first sample."""
        return self._hypothesis

    def close(self) -> None:
        """Give up the place in the worker, which is told with its next request."""
        if self._worker is not None:
            self._engine.unpin(self._worker, None if self._done else self._number)
            self._worker = None

    def step(self) -> None:
        """Have the worker take what has gathered; called by the engine."""
        if self._failure is not None:
            # The worker has forgotten the audio so far; what would follow is not the utterance.
            raise EngineError(self._failure)
        if self._worker is None:
            self._worker = self._engine.pin()
        request = Feed(
            utterance=self._number,
            pcm=_pcm(self._pending),
            last=self._finished,
            forget=tuple(_drain(self._worker.forget)),
        )
        try:
            words = self._worker.ask(request).words
        except EngineError as error:
            self._failure = error.message
            raise
        self._pending = []
        self._decoded = self._accepted
        self._done = self._finished
        self._hypothesis = Hypothesis(words=words, text=" ".join(word.text for word in words))


def _pcm(pieces: Sequence[Samples]) -> bytes:
    """Return samples as signed 16-bit little-endian integers."""
    if not pieces:
        return b""
    scaled = np.rint(np.concatenate(pieces) * _FULL_SCALE)
    return np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1).astype("<i2").tobytes()


def _drain(queue: deque[int]) -> Iterator[int]:
    while queue:
        yield queue.popleft()


class PocketSphinx:
    """A pool of PocketSphinx processes; see `hearline.engines.base.Engine`.

    Args:
        workers: How many processes; by default one for each core.
        streaming_limit: How many utterances of one worker are followed while they are spoken, at
            100 MB each, which are kept. Those above get no partial hypotheses, and their final ones
            later: the whole utterance is searched when it is finished.
        patience_s: Seconds after which a worker that gives no sign of life is killed. It gives one
            for every second of audio that it takes in, so this bounds loading the model (1 s of
            CPU time) and the end of a long utterance.

    A worker that dies or hangs fails the streams that are in it; the next stream gets a new one.

    Raises:
        EngineError: PocketSphinx is not installed, or no process can be started.

    """

    def __init__(
        self, *, workers: int | None = None, streaming_limit: int = 4, patience_s: float = 30.0
    ) -> None:
        if find_spec("pocketsphinx") is None:
            raise EngineError("PocketSphinx is not installed: pip install 'hearline[server]'")
        self.name: Final = "pocketsphinx"
        self.languages: Final = frozenset({"en"})
        self.punctuates: Final = False
        self.batch_limit: Final = 1
        self._streaming_limit = streaming_limit
        self._patience_s = patience_s
        self._numbers = count()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._workers = [_Worker(streaming_limit) for _ in range(workers or os.cpu_count() or 1)]
        self._watchdog = threading.Thread(
            target=self._watch, name="pocketsphinx-watchdog", daemon=True
        )
        self._watchdog.start()

    @property
    def parallelism(self) -> int:
        """Twice the workers: a thread that waits for a busy one leaves the others to the rest."""
        return 2 * len(self._workers)

    @property
    def capacity(self) -> int:
        """As many sessions as can be followed at once."""
        return self._streaming_limit * len(self._workers)

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """Process numbers of the workers."""
        with self._lock:
            return tuple(worker.pid for worker in self._workers)

    def warm_up(self) -> None:
        """Wait until every worker has loaded what a first utterance needs.

        Raises:
            EngineError: A worker cannot.

        """
        with self._lock:
            self._replace_dead()
            workers = tuple(self._workers)
        with ThreadPoolExecutor(len(workers)) as pool:
            answers = [pool.submit(worker.ask, Load()) for worker in workers]
        for answer in answers:
            answer.result()

    def open(self, hints: Hints) -> PocketSphinxStream:  # noqa: ARG002 - it knows one language
        """Return a stream for a new utterance."""
        return PocketSphinxStream(self, next(self._numbers))

    def decode(self, streams: Sequence[Stream]) -> None:
        """Advance every stream: to the end if it is finished, else by the audio that it has.

        Raises:
            EngineError: The recogniser failed, or the stream's worker died or was ended.

        """
        for stream in streams:
            cast("PocketSphinxStream", stream).step()

    def close(self) -> None:
        """End all workers; decode calls that wait for one raise `EngineError`."""
        self._closing.set()
        self._watchdog.join()
        with self._lock:
            for worker in self._workers:
                worker.close()

    def pin(self) -> _Worker:
        """Return the worker with the fewest streams for a stream to stay in."""
        with self._lock:
            self._replace_dead()
            chosen = min(self._workers, key=lambda worker: worker.load)
            chosen.load += 1
            return chosen

    def unpin(self, worker: _Worker, unfinished: int | None) -> None:
        """Take a stream out of its worker.

        Args:
            worker: What `pin` returned.
            unfinished: The stream's number if the worker still has its audio.

        """
        with self._lock:
            worker.load -= 1
        if unfinished is not None:
            worker.forget.append(unfinished)

    def _replace_dead(self) -> None:
        if self._closing.is_set():
            raise EngineError("the PocketSphinx engine is closed")
        for place, worker in enumerate(self._workers):
            if not worker.alive:
                worker.close()
                self._workers[place] = _Worker(self._streaming_limit)

    def _watch(self) -> None:
        while not self._closing.wait(self._patience_s / 4):
            with self._lock:
                workers = tuple(self._workers)
            for worker in workers:
                worker.end_if_hung(self._patience_s)
