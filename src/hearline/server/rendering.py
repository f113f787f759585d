"""Transcripts to the wire's sentences: samples become milliseconds here and nowhere else."""

import math
from typing import Final

from msgspec import UNSET

from hearline import speech
from hearline.speech import SAMPLE_RATE, Transcript
from hearline.wire.messages import Sentence, Usage, Word

_SAMPLES_PER_MS: Final = SAMPLE_RATE // 1000


def to_sentence(transcript: Transcript) -> Sentence:
    """Return a transcript as the wire has it (spec 4)."""
    return Sentence(
        sentence_id=transcript.utterance,
        begin_time=_to_ms(transcript.begin),
        end_time=None if transcript.end is None else _to_ms(transcript.end),
        text=transcript.hypothesis.text,
        words=tuple(_to_word(word) for word in transcript.hypothesis.words),
        sentence_begin=transcript.first,
        sentence_end=transcript.final,
        heartbeat=False,
    )


def to_usage(received: int) -> Usage:
    """Return the cost of `received` samples: whole seconds, rounded up (spec 4)."""
    return Usage(duration=math.ceil(received / SAMPLE_RATE))


def _to_word(word: speech.Word) -> Word:
    return Word(
        begin_time=_to_ms(word.begin),
        end_time=_to_ms(word.end),
        text=word.text,
        punctuation=word.punctuation,
        confidence=UNSET if word.confidence is None else round(word.confidence, 3),
    )


def _to_ms(samples: int) -> int:
    return samples // _SAMPLES_PER_MS
