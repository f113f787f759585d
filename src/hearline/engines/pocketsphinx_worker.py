"""The process that runs PocketSphinx: requests come in on standard input, answers go out.

PocketSphinx holds the interpreter lock while it decodes, so each core gets a process of its own.
This is the only module that imports it. It knows one worker's utterances and decoders, and neither
the engine nor the other workers; it ends when its input does, that is, when its parent is gone.
"""

import contextlib
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, Final, Protocol, cast

import numpy as np
from pocketsphinx import (  # pyright: ignore[reportMissingTypeStubs]
    Config,  # pyright: ignore[reportUnknownVariableType]
    Decoder,  # pyright: ignore[reportUnknownVariableType]
)

from hearline.engines.cepstra import COEFFICIENTS, HOP, Cepstra, Floats, FrontEnd, Pcm
from hearline.engines.pocketsphinx_messages import (
    Alive,
    Failed,
    Feed,
    Heard,
    Load,
    Request,
    receive_request,
    send,
)
from hearline.speech import Word

_BLOCK: Final = 1_600
"""Samples that are searched at a time, counted from the utterance's start: 100 ms."""

_FIRST_MEAN: Final = 100
"""Frames from which the first cepstral mean is taken, for words while speech goes on: 1 s."""

_FAIR_MEAN: Final = 300
"""Frames whose mean is as good as the whole utterance's: 3 s (measured: docs/pocketsphinx.md)."""

_PADDING: Final = 10
"""Frames of the utterance's own silence put before and after it.

The language model wants silence around a sentence, and a detector or an editor may have cut it off.
"""

_BLOCKS_PER_SIGN: Final = 10
"""Blocks between two signs of life: 1 s of audio."""

_FILLER: Final = re.compile(r"<.*>|\[.*\]|\+\+.*\+\+")
_VARIANT: Final = re.compile(r"\(\d+\)$")


class _Segment(Protocol):
    """A word of PocketSphinx's, with its first and last frame and its posterior."""

    word: str
    start_frame: int
    end_frame: int
    prob: float


class _Sphinx(Protocol):
    """What this module uses of ``pocketsphinx.Decoder``, which has no stubs."""

    def start_utt(self) -> None: ...
    def process_cep(self, data: bytes) -> None: ...
    def end_utt(self) -> None: ...
    def hyp(self) -> object | None: ...
    def seg(self) -> Iterable[_Segment]: ...


def _load() -> _Sphinx:
    """Load a decoder of the packaged English model that takes cepstra as they are."""
    # Phone lookahead makes the search a third cheaper and prunes a twentieth of the right words.
    decoder = cast("Any", Decoder)(cast("Any", Config)(loglevel="FATAL", pl_window=0))
    # The model's feat.params override what a Config says of features, so Sphinx's own
    # normalisation, which outlives the utterance, can only be turned off afterwards.
    decoder.config["cmn"] = "none"
    decoder.reinit_feat()
    return cast("_Sphinx", decoder)


def _silence(cepstra: Cepstra) -> Cepstra:
    """Return padding that sounds like the quietest tenth of these frames, ``(_PADDING, 13)``."""
    count = max(1, len(cepstra) // 10)
    quietest = np.argsort(cepstra[:, 0], kind="stable")[:count]
    return np.tile(cepstra[quietest].mean(axis=0), (_PADDING, 1))


def _words(decoder: _Sphinx, samples: int, *, final: bool) -> tuple[Word, ...]:
    """Return the decoder's words with times inside the utterance's samples."""
    if decoder.hyp() is None:
        return ()
    return tuple(
        Word(
            text=_VARIANT.sub("", segment.word),
            begin=min(max(0, (segment.start_frame - _PADDING) * HOP), samples),
            end=min(max(0, (segment.end_frame + 1 - _PADDING) * HOP), samples),
            confidence=min(1.0, segment.prob) if final else None,
        )
        for segment in decoder.seg()
        if not _FILLER.fullmatch(segment.word)
    )


class _Search:
    """One utterance in a decoder; everything it finds is a function of the samples alone.

    Cepstra are normalised by the mean of all frames up to the same block, which needs some of them
    to begin with. A first search starts after one second, so that words come early. It starts anew
    when the mean is fair: after three seconds, or with an utterance that ends before.
    """

    def __init__(self, decoder: _Sphinx, alive: Callable[[], None]) -> None:
        self._decoder = decoder
        self._alive = alive
        self._front_end = FrontEnd()
        self._cepstra = np.empty((0, COEFFICIENTS), np.float32)
        self._taken = 0
        self._mean_frames = 0
        self._searched = 0
        self._searching = False

    def follow(self, samples: Pcm) -> None:
        """Search on through the whole blocks of an utterance that has grown to these samples."""
        for end in range(self._taken + _BLOCK, samples.size + 1, _BLOCK):
            self._take(self._front_end.accept(samples[self._taken : end]), end)
            frames = len(self._cepstra)
            wanted = _FAIR_MEAN if self._searching else _FIRST_MEAN
            if self._mean_frames < wanted <= frames:
                self._start()
            if self._searching:
                self._search()
            if end // _BLOCK % _BLOCKS_PER_SIGN == 0:
                self._alive()

    def words(self, *, final: bool) -> tuple[Word, ...]:
        """Return the best words so far."""
        return _words(self._decoder, self._taken, final=final) if self._searching else ()

    def finish(self, samples: Pcm) -> tuple[Word, ...]:
        """Return the words of the whole utterance."""
        self.follow(samples)
        self._take(self._front_end.accept(samples[self._taken :]), samples.size)
        self._take(self._front_end.finish(), samples.size)
        if not len(self._cepstra):
            return ()
        if self._mean_frames < _FAIR_MEAN:
            self._start()
        self._search()
        self._process(_silence(self._cepstra) - self._mean())
        self._decoder.end_utt()
        words = self.words(final=True)
        self._searching = False
        return words

    def stop(self) -> _Sphinx:
        """Give the decoder back, ready for another utterance."""
        if self._searching:
            self._decoder.end_utt()
        return self._decoder

    def _take(self, cepstra: Cepstra, end: int) -> None:
        self._cepstra = np.concatenate((self._cepstra, cepstra))
        self._taken = end

    def _start(self) -> None:
        """Begin at the first frame, with the mean of now."""
        if self._searching:
            self._decoder.end_utt()
        self._decoder.start_utt()
        self._searching = True
        self._mean_frames = len(self._cepstra)
        self._searched = 0
        self._process(_silence(self._cepstra) - self._mean())

    def _search(self) -> None:
        self._process(self._cepstra[self._searched :] - self._mean())
        self._searched = len(self._cepstra)

    def _process(self, normal: Floats) -> None:
        if len(normal):
            self._decoder.process_cep(normal.astype(np.float32).tobytes())

    def _mean(self) -> Floats:
        """Return the mean of all frames so far, but for digital silence, as Sphinx does."""
        sound = self._cepstra[self._cepstra[:, 0] >= 0]
        return (sound if len(sound) else self._cepstra).mean(axis=0, dtype=np.float64)


class _Utterance:
    """The samples of one utterance, and its search if there was a decoder for one."""

    def __init__(self, search: _Search | None) -> None:
        self.search = search
        self.pcm = bytearray()

    def samples(self) -> Pcm:
        return np.frombuffer(bytes(self.pcm), "<i2")


class _Workbench:
    """All utterances of this worker and the decoders that serve them.

    Decoders are loaded when first wanted and kept: up to `limit` for utterances that are followed,
    and one for those that began while all were taken and are searched when they have ended.
    """

    def __init__(self, limit: int, alive: Callable[[], None]) -> None:
        self._limit = limit
        self._alive = alive
        self._loaded = 0
        self._idle: list[_Sphinx] = []
        self._spare: _Sphinx | None = None
        self._utterances: dict[int, _Utterance] = {}

    def handle(self, request: Request) -> Heard | Failed:
        """Carry out one request."""
        self._alive()
        try:
            match request:
                case Load():
                    self._idle.extend(filter(None, [self._decoder()]))
                    return Heard()
                case Feed():
                    for number in request.forget:
                        self._forget(number)
                    return Heard(words=self._feed(request))
        except RuntimeError as problem:  # what PocketSphinx raises, whatever went wrong
            return Failed(message=str(problem))

    def _feed(self, request: Feed) -> tuple[Word, ...]:
        utterance = self._utterances.get(request.utterance) or self._begin(request.utterance)
        utterance.pcm += request.pcm
        samples = utterance.samples()
        if utterance.search is None:
            if not request.last:
                return ()
            del self._utterances[request.utterance]
            return self._search_at_last(samples)
        try:
            if request.last:
                words = utterance.search.finish(samples)
            else:
                utterance.search.follow(samples)
                words = utterance.search.words(final=False)
        except RuntimeError:
            # Its decoder is in an unknown state, so another one may be loaded in its place.
            del self._utterances[request.utterance]
            self._loaded -= 1
            raise
        if request.last:
            self._forget(request.utterance)
        return words

    def _begin(self, number: int) -> _Utterance:
        decoder = self._decoder()
        search = None if decoder is None else _Search(decoder, self._alive)
        self._utterances[number] = _Utterance(search)
        return self._utterances[number]

    def _search_at_last(self, samples: Pcm) -> tuple[Word, ...]:
        decoder = self._spare or self._load()
        self._spare = None  # not kept if the next line raises
        words = _Search(decoder, self._alive).finish(samples)
        self._spare = decoder
        return words

    def _forget(self, number: int) -> None:
        utterance = self._utterances.pop(number, None)
        if utterance is not None and utterance.search is not None:
            self._idle.append(utterance.search.stop())

    def _decoder(self) -> _Sphinx | None:
        if self._idle:
            return self._idle.pop()
        if self._loaded == self._limit:
            return None
        self._loaded += 1
        return self._load()

    def _load(self) -> _Sphinx:
        decoder = _load()
        self._alive()
        return decoder


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return where requests come from and where answers go, out of reach of stray prints."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return sys.stdin.buffer, answers


def main(limit: int) -> None:
    """Serve requests until the parent is gone.

    Args:
        limit: How many utterances may be followed while they are spoken.

    """
    # Ctrl-C goes to every process of the terminal; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, answers = _pipes()
    workbench = _Workbench(limit, lambda: send(answers, Alive()))
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            send(answers, workbench.handle(receive_request(requests)))


if __name__ == "__main__":
    main(int(sys.argv[1]))
