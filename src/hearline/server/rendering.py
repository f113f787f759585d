"""Transcripts to the wire's sentences: samples become milliseconds here and nowhere else."""

import math
from itertools import pairwise
from typing import Final

from msgspec import UNSET

from hearline.speech import SAMPLE_RATE, Hypothesis, Transcript
from hearline.wire.messages import Sentence, Usage, Word

_SAMPLES_PER_MS: Final = SAMPLE_RATE // 1000


def to_sentence(transcript: Transcript) -> Sentence:
    """Return a transcript as the wire has it (spec 4)."""
    return Sentence(
        sentence_id=transcript.utterance,
        begin_time=_to_ms(transcript.begin),
        end_time=None if transcript.end is None else _to_ms(transcript.end),
        text=transcript.hypothesis.text,
        words=_to_words(transcript.hypothesis),
        sentence_begin=transcript.first,
        sentence_end=transcript.final,
        heartbeat=False,
    )


def to_usage(received: int) -> Usage:
    """Return the cost of `received` samples: whole seconds, rounded up (spec 4)."""
    return Usage(duration=math.ceil(received / SAMPLE_RATE))


def _to_words(hypothesis: Hypothesis) -> tuple[Word, ...]:
    """Cut the text at its words, so that the words join to the text exactly (spec 4)."""
    starts: list[int] = []
    cursor = 0
    for word in hypothesis.words:
        found = hypothesis.text.find(word.text, cursor)
        starts.append(cursor if found < 0 else found)
        cursor = starts[-1] + len(word.text)
    if starts:
        starts[0] = 0
    return tuple(
        Word(
            begin_time=_to_ms(word.begin),
            end_time=_to_ms(word.end),
            text=hypothesis.text[start:stop],
            confidence=UNSET if word.confidence is None else round(word.confidence, 3),
        )
        for word, (start, stop) in zip(
            hypothesis.words, pairwise([*starts, len(hypothesis.text)]), strict=True
        )
    )


def _to_ms(samples: int) -> int:
    return samples // _SAMPLES_PER_MS
