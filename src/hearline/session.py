"""One task: packets in, transcripts out. Joins decoder, detector, segmenter, streams and finisher.

Pure core: no clock, no thread, no socket, and nothing of the wire. One thread at a time drives it:
`feed` packets, hand each `next_frame` to a detector and its verdict to `hear`, decode
`ready_streams`, `poll` transcripts. The order of these calls changes when a transcript comes, never
what a final one says.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from hearline.audio.decoder import Decoder
from hearline.engines.base import Engine, Stream
from hearline.errors import NoValidAudio
from hearline.speech import (
    SAMPLE_RATE,
    EndpointReason,
    Hints,
    Hypothesis,
    Samples,
    Transcript,
    Turn,
)
from hearline.text.finisher import Finisher
from hearline.vad.detector import FRAME_SAMPLES, DetectorState
from hearline.vad.segmenter import Segmenter, SpeechEnded, SpeechStarted

_LEAD_FRAMES: Final = 10
"""Frames before the first frame of speech that the engine gets too: 320 ms, for soft onsets."""
_TRAIL: Final = 3 * SAMPLE_RATE // 10
"""Samples of silence after speech that the engine gets at once; more only if speech goes on."""


@dataclass(slots=True)
class _Utterance:
    """An utterance on its way through the engine.

    Attributes:
        stream: What decodes it.
        origin: Index of the stream's first sample, before `begin`.
        begin: Index of the first sample of speech.
        end: Index after the last one, once it is over.
        reason: Why it is over.
        number: Its number in the session, once it was reported.
        heard: The engine's text at the last poll.
        text: The text reported last.
        held: Silence after the speech, kept back until it is known whether speech goes on.

    """

    stream: Stream
    origin: int
    begin: int
    end: int | None = None
    reason: EndpointReason | None = None
    number: int | None = None
    heard: str = ""
    text: str = ""
    held: list[Samples] = field(default_factory=list[Samples])


class Session:
    """The server's state for one task."""

    def __init__(
        self,
        *,
        decoder: Decoder,
        detector_state: DetectorState,
        segmenter: Segmenter,
        engine: Engine,
        hints: Hints,
        finisher: Finisher,
    ) -> None:
        """Begin with nothing heard; the parts belong to this session alone, but for the engine."""
        self.detector_state = detector_state
        self._decoder = decoder
        self._segmenter = segmenter
        self._engine = engine
        self._hints = hints
        self._finisher = finisher
        self._pending: Samples = np.zeros(0, np.float32)
        self._received = 0
        self._heard = 0
        self._lead: deque[Samples] = deque(maxlen=_LEAD_FRAMES)
        self._utterances: deque[_Utterance] = deque()
        self._reported = 0
        self._finishing = False

    @property
    def received(self) -> int:
        """Samples received so far."""
        return self._received

    @property
    def finished(self) -> bool:
        """Whether the end was declared and every utterance is reported."""
        return self._finishing and not self._pending.size and not self._utterances

    def feed(self, data: bytes) -> None:
        """Take a packet.

        Raises:
            AudioError: The audio is not what was declared.

        """
        self._append(self._decoder.feed(data))

    def update_context(self, context: tuple[Turn, ...]) -> None:
        """Replace the context for the utterances that begin after this (spec 3.3)."""
        self._hints = replace(self._hints, context=context)

    def finish(self) -> None:
        """Declare that no more audio will come.

        Raises:
            NoValidAudio: None has come at all.
            AudioError: The audio is not what was declared.

        """
        self._append(self._decoder.finish())
        if not self._received:
            raise NoValidAudio("NO_VALID_AUDIO_ERROR: no audio was received.")
        shortage = -self._pending.size % FRAME_SAMPLES
        self._pending = np.concatenate([self._pending, np.zeros(shortage, np.float32)])
        self._finishing = True
        if not self._pending.size:
            self._end_utterance(self._segmenter.finish())

    def next_frame(self) -> Samples | None:
        """Return the next frame to judge, shape ``(FRAME_SAMPLES,)``, if there is one."""
        return self._pending[:FRAME_SAMPLES] if self._pending.size >= FRAME_SAMPLES else None

    def hear(self, probability: float) -> None:
        """Take the verdict on `next_frame` and move past it.

        Args:
            probability: Probability that the frame is speech, in ``[0, 1]``.

        """
        frame = self._pending[:FRAME_SAMPLES]
        self._pending = self._pending[FRAME_SAMPLES:]
        self._heard += FRAME_SAMPLES
        boundary = self._segmenter.feed(probability)
        if isinstance(boundary, SpeechStarted):
            self._begin_utterance(boundary.begin, frame)
        elif self._segmenter.speaking:
            self._continue_utterance(frame)
        else:
            self._end_utterance(boundary)
            self._lead.append(frame)
        if self._finishing and not self._pending.size:
            self._end_utterance(self._segmenter.finish())

    def ready_streams(self) -> list[Stream]:
        """Return the streams with a decode step to do, in order of time."""
        return [utterance.stream for utterance in self._utterances if utterance.stream.ready]

    def poll(self) -> list[Transcript]:
        """Return what is new: finals in order of time, then at most one partial."""
        transcripts: list[Transcript] = []
        while self._utterances:
            utterance = self._utterances[0]
            final = utterance.end is not None and utterance.stream.done
            heard = utterance.stream.hypothesis()
            if final or heard.text != utterance.heard:
                utterance.heard = heard.text
                hypothesis = self._finish(utterance, heard, final=final)
                if self._worth_reporting(utterance, hypothesis, final=final):
                    transcripts.append(self._report(utterance, hypothesis, final=final))
            if not final:
                break
            utterance.stream.close()
            self._utterances.popleft()
        return transcripts

    def close(self) -> None:
        """Release the streams; allowed at any time."""
        while self._utterances:
            self._utterances.popleft().stream.close()

    def _append(self, samples: Samples) -> None:
        self._received += samples.size
        self._pending = np.concatenate([self._pending, samples])

    def _begin_utterance(self, begin: int, frame: Samples) -> None:
        stream = self._engine.open(self._hints)
        lead = [*self._lead, frame]
        self._lead.clear()
        for samples in lead:
            stream.accept(samples)
        origin = self._heard - len(lead) * FRAME_SAMPLES
        self._utterances.append(_Utterance(stream=stream, origin=origin, begin=begin))

    def _continue_utterance(self, frame: Samples) -> None:
        utterance = self._utterances[-1]
        utterance.held.append(frame)
        if self._segmenter.silent_for <= _TRAIL:
            for samples in utterance.held:
                utterance.stream.accept(samples)
            utterance.held.clear()

    def _end_utterance(self, boundary: SpeechEnded | None) -> None:
        if boundary is None:
            return
        utterance = self._utterances[-1]
        utterance.end = min(boundary.end, self._received)
        utterance.reason = boundary.reason
        self._lead.extend(utterance.held)  # not heard by this stream, and perhaps by the next
        utterance.held.clear()
        utterance.stream.finish()

    def _finish(self, utterance: _Utterance, heard: Hypothesis, *, final: bool) -> Hypothesis:
        """Write what was heard; an utterance that was cut for its length is no whole sentence."""
        complete = final and utterance.reason is not EndpointReason.LENGTH
        return self._finisher.finish(heard, complete=complete)

    def _worth_reporting(
        self, utterance: _Utterance, hypothesis: Hypothesis, *, final: bool
    ) -> bool:
        """Tell whether there are new words, or an end to words that were reported."""
        if final:
            return bool(hypothesis.text) or utterance.number is not None
        return bool(hypothesis.text) and hypothesis.text != utterance.text

    def _report(self, utterance: _Utterance, hypothesis: Hypothesis, *, final: bool) -> Transcript:
        first = utterance.number is None
        if utterance.number is None:
            self._reported += 1
            utterance.number = self._reported
        utterance.text = hypothesis.text
        return Transcript(
            utterance=utterance.number,
            begin=utterance.begin,
            end=utterance.end if final else None,
            hypothesis=_shift(hypothesis, utterance, self._received),
            first=first,
            reason=utterance.reason if final else None,
        )


def _shift(hypothesis: Hypothesis, utterance: _Utterance, received: int) -> Hypothesis:
    """Count words from the task's first sample, within the utterance and what was received."""
    latest = received if utterance.end is None else utterance.end
    words = tuple(
        replace(
            word,
            begin=min(max(utterance.origin + word.begin, utterance.begin), latest),
            end=min(max(utterance.origin + word.end, utterance.begin), latest),
        )
        for word in hypothesis.words
    )
    return replace(hypothesis, words=words)
