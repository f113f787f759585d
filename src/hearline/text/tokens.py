"""A hypothesis as tokens, which carry their punctuation, space and pause, and back again.

Every step of this floor takes tokens and returns tokens, so that no word loses its place in the
audio. A hypothesis is cut where its words stand in its text; joined again, its words' texts and
punctuation make up the text exactly (spec 4).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, TypeAlias

from hearline.speech import Hypothesis, Word

MARKS: Final = ',.;:!?…‥—、。，；：！？·"“”‘「」『』《》()（）¿¡'
"""Characters that are punctuation where they follow a word."""

UNSPACED: Final = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
"""Han and kana, as a range of a regular expression: written without spaces between words."""

_UNSPACED_LAST: Final = re.compile(f"[{UNSPACED}]$")
_UNSPACED_FIRST: Final = re.compile(f"[{UNSPACED}]")

Edit: TypeAlias = tuple[int, int, str]
"""A piece ``[start, stop)`` of spelled tokens, and what to write in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A word with all that stands and happens until the next one.

    Attributes:
        text: The word, without punctuation or surrounding space.
        begin: Index of its first sample.
        end: Index after its last sample.
        mark: Punctuation that follows it.
        space: ``" "`` or ``""``, which follows the punctuation.
        pause: Samples of silence until the next word.
        confidence: As in `Word`; of several words the lowest.

    """

    text: str
    begin: int
    end: int
    mark: str = ""
    space: str = ""
    pause: int = 0
    confidence: float | None = None


def cut(hypothesis: Hypothesis) -> list[Token]:
    """Cut a hypothesis at its words; one without words, at its spaces and without times."""
    words = [word for word in hypothesis.words if word.text.strip()]
    if not words:
        words = [Word(text=text, begin=0, end=0) for text in hypothesis.text.split()]
    if not words:
        return []
    pauses = [max(0, after.begin - word.end) for word, after in pairwise(words)]
    tokens: list[Token] = []
    for word, chunk, pause in zip(
        words, _chunks(hypothesis.text, words), [*pauses, 0], strict=True
    ):
        body = chunk.strip()
        text = body.rstrip(f"{MARKS} ")
        mark, space = body[len(text) :], " " if chunk[-1:].isspace() else ""
        if not text and tokens:
            last = tokens[-1]
            tokens[-1] = replace(last, mark=last.mark + mark, space=space, pause=pause)
            continue
        token = Token(
            text=text or mark,
            begin=word.begin,
            end=word.end,
            mark=mark if text else "",
            space=space,
            pause=pause,
            confidence=word.confidence,
        )
        tokens.append(token)
    return settled(tokens)


def join(tokens: Sequence[Token]) -> Hypothesis:
    """Return tokens as words, whose texts and punctuation make up the text."""
    words = tuple(
        Word(
            text=token.text if token.mark else token.text + token.space,
            punctuation=token.mark + token.space if token.mark else "",
            begin=token.begin,
            end=token.end,
            confidence=token.confidence,
        )
        for token in tokens
    )
    return Hypothesis(words=words, text="".join(word.text + word.punctuation for word in words))


def settled(tokens: Sequence[Token]) -> list[Token]:
    """Return tokens without the spaces that are not written: at the end, between Han and kana."""
    result = list(tokens)
    for place, (token, after) in enumerate(pairwise(tokens)):
        if token.space and not token.mark and not gap(token.text, after.text):
            result[place] = replace(token, space="")
    if result:
        result[-1] = replace(result[-1], space="", pause=0)
    return result


def gap(left: str, right: str) -> str:
    """Return the space that is written between two words."""
    unspaced = _UNSPACED_LAST.search(left) and _UNSPACED_FIRST.match(right)
    return "" if unspaced else " "


def spell(tokens: Sequence[Token]) -> str:
    """Return the text of tokens without their punctuation."""
    return "".join(token.text + token.space for token in tokens)


def spans(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """Return where each token's word stands in what `spell` returns, as ``[start, stop)``."""
    result: list[tuple[int, int]] = []
    start = 0
    for token in tokens:
        result.append((start, start + len(token.text)))
        start += len(token.text) + len(token.space)
    return result


def rewrite(tokens: Sequence[Token], edits: Sequence[Edit]) -> list[Token]:
    """Replace pieces of what `spell` returns; the tokens that a piece touches become one.

    Args:
        tokens: What to change.
        edits: In order, without overlap.

    """
    text, places = spell(tokens), spans(tokens)
    result: list[Token] = []
    place = 0
    remaining = list(edits)
    while place < len(tokens):
        first, last = place, place
        start, stop = places[place]
        own: list[Edit] = []
        while remaining and remaining[0][0] < stop:
            edit = remaining.pop(0)
            own.append(edit)
            while last + 1 < len(tokens) and places[last + 1][0] < edit[1]:
                last += 1
            stop = places[last][1]
        new = text[start:stop]
        for begin, end, replacement in reversed(own):
            new = new[: begin - start] + replacement + new[end - start :]
        result.append(_merge(tokens[first : last + 1], new) if own else tokens[place])
        place = last + 1
    return without(result, {place for place, token in enumerate(result) if not token.text.strip()})


def without(tokens: Sequence[Token], unwanted: set[int]) -> list[Token]:
    """Leave out the tokens at some places; a pause and a mark after one go to the word before."""
    result: list[Token] = []
    for place, token in enumerate(tokens):
        if place not in unwanted:
            result.append(token)
        elif result:
            last = result[-1]
            inherits = bool(token.mark) and not last.mark
            result[-1] = replace(
                last,
                pause=max(last.pause, token.pause),
                mark=token.mark if inherits else last.mark,
                space=token.space if inherits else last.space,
            )
    return settled(result)


def _chunks(text: str, words: Sequence[Word]) -> list[str]:
    """Cut the text where its words begin; if they are not in it, write the words instead."""
    spellings = [word.text.strip() for word in words]
    starts: list[int] = []
    cursor = 0
    for spelling in spellings:
        found = text.find(spelling, cursor)
        if found < 0:
            after = [*spellings[1:], ""]
            return [word + gap(word, next_) for word, next_ in zip(spellings, after, strict=True)]
        starts.append(found)
        cursor = found + len(spelling)
    return [text[start:stop] for start, stop in pairwise([0, *starts[1:], len(text)])]


def _merge(tokens: Sequence[Token], text: str) -> Token:
    confidences = [token.confidence for token in tokens if token.confidence is not None]
    return replace(
        tokens[-1],
        text=text,
        begin=tokens[0].begin,
        end=max(token.end for token in tokens),
        confidence=min(confidences, default=None),
    )
