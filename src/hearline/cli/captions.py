"""Captions: sentences become cues, and cues become the text of SubRip or WebVTT.

A cue has at most two lines of 42 characters and lasts at most seven seconds, as broadcasters ask.
Long sentences are cut between words; a sentence without word times is timed by its characters.
Knows milliseconds only, and no files.
"""

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from hearline.wire.messages import Sentence

_LINE_CHARACTERS: Final = 42
_LINES: Final = 2
_LONGEST_MS: Final = 7_000

_UNBROKEN: Final = re.compile(rf"\S{{1,{_LINE_CHARACTERS}}}\s*")
"""A run of text that no line break divides; scripts without spaces are cut at the line's length."""
_VTT_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """A caption on the screen.

    Attributes:
        begin_ms: When it appears.
        end_ms: When it goes, later than it appears.
        lines: Its text, line by line.

    """

    begin_ms: int
    end_ms: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Text that is never cut, with the space behind it, and when it is said."""

    text: str
    begin_ms: int
    end_ms: int


def to_cues(sentence: Sentence, *, after_ms: int = 0) -> tuple[Cue, ...]:
    """Cut a final sentence into cues.

    Args:
        sentence: Whose times may be loose; the cues are in order and never overlap.
        after_ms: End of the cue before, where the first one may begin.

    """
    cues: list[Cue] = []
    for group in _groups(_pieces(sentence)):
        begin_ms = max(group[0].begin_ms, after_ms)
        end_ms = max(begin_ms + 1, min(group[-1].end_ms, begin_ms + _LONGEST_MS))
        cues.append(Cue(begin_ms=begin_ms, end_ms=end_ms, lines=_lines(group)))
        after_ms = end_ms
    return tuple(cues)


def to_srt(cue: Cue, number: int) -> str:
    """Return a cue as SubRip has it.

    Args:
        cue: What to write.
        number: Its place in the file, from 1.

    """
    timing = f"{_clock(cue.begin_ms, ',')} --> {_clock(cue.end_ms, ',')}"
    return "\n".join((str(number), timing, *cue.lines)) + "\n\n"


def to_vtt(cue: Cue) -> str:
    """Return a cue as WebVTT has it (https://www.w3.org/TR/webvtt1/)."""
    timing = f"{_clock(cue.begin_ms, '.')} --> {_clock(cue.end_ms, '.')}"
    return "\n".join((timing, *(line.translate(_VTT_ESCAPES) for line in cue.lines))) + "\n\n"


def _clock(time_ms: int, point: str) -> str:
    seconds, ms = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{ms:03}"


def _groups(pieces: Iterator[_Piece]) -> Iterator[Sequence[_Piece]]:
    """Put together what fits into one cue, greedily."""
    group: list[_Piece] = []
    for piece in pieces:
        if group and not _fits([*group, piece]):
            yield group
            group = []
        group.append(piece)
    if group:
        yield group


def _fits(group: Sequence[_Piece]) -> bool:
    lasts_ms = group[-1].end_ms - group[0].begin_ms
    return lasts_ms <= _LONGEST_MS and len(_lines(group)) <= _LINES


def _lines(group: Sequence[_Piece]) -> tuple[str, ...]:
    text = "".join(piece.text for piece in group)
    return tuple(textwrap.wrap(text, _LINE_CHARACTERS, break_on_hyphens=False))


def _pieces(sentence: Sentence) -> Iterator[_Piece]:
    """Cut the text at its words, each with what follows it; without them, at its spaces."""
    text, starts = sentence.text, _word_starts(sentence)
    if not starts:
        end_ms = sentence.begin_time if sentence.end_time is None else sentence.end_time
        yield from _cut(text, sentence.begin_time, end_ms)
        return
    spans = pairwise([*starts, len(text)])
    for word, (start, stop) in zip(sentence.words, spans, strict=True):
        yield from _cut(text[start:stop], word.begin_time, word.end_time)


def _word_starts(sentence: Sentence) -> Sequence[int]:
    """Return where in the text each word begins; nothing if the words are not those of the text."""
    starts: list[int] = []
    cursor = 0
    for word in sentence.words:
        spelling = word.text.strip()
        found = sentence.text.find(spelling, cursor)
        if found < 0:
            return ()
        starts.append(found)
        cursor = found + len(spelling)
    return (0, *starts[1:]) if starts else ()


def _cut(text: str, begin_ms: int, end_ms: int) -> Iterator[_Piece]:
    """Cut text that is said in one interval, every character taking the same time."""
    for run in _UNBROKEN.finditer(text):
        begin, end = (
            begin_ms + (end_ms - begin_ms) * place // len(text)
            for place in (run.start(), run.end())
        )
        yield _Piece(text=run.group(), begin_ms=begin, end_ms=end)
