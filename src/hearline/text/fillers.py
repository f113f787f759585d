"""Filler words out: what people say while they think, per language (spec 3.5).

A filler is removed only where it is a word, or some words, of its own: the ``um`` of ``umbrella``
stays. Languages without a list keep everything.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from hearline.speech import SAMPLE_RATE
from hearline.text.tokens import Token, spans, spell, without

FILLERS: Final[Mapping[str, re.Pattern[str]]] = {
    "en": re.compile(r"\b(?:uh+|uh+m+|um+|er|erm+|hm+|mm+)\b", re.IGNORECASE),
    "zh": re.compile(r"嗯+|呃+|唔+|啊+|诶+|欸+"),
    "ja": re.compile(r"えーっ?と|ええっ?と|えっと|えー+|あのー+|あのう|あの|そのー+|うー+ん|んー+"),
}
"""What counts as a filler in each language."""

_DEMONSTRATIVE: Final = "あの"
_HESITATION: Final = SAMPLE_RATE // 5
"""Samples of pause, 200 ms, after which this word is a filler; else it is "that"."""


def remove_fillers(tokens: Sequence[Token], language: str | None) -> list[Token]:
    """Return tokens without the fillers of a language."""
    pattern = FILLERS.get(language or "")
    if pattern is None:
        return list(tokens)
    places = spans(tokens)
    starts = {start: place for place, (start, _) in enumerate(places)}
    stops = {stop: place for place, (_, stop) in enumerate(places)}
    unwanted: set[int] = set()
    for match in pattern.finditer(spell(tokens)):
        first, last = starts.get(match.start()), stops.get(match.end())
        if first is None or last is None:
            continue
        if match.group() == _DEMONSTRATIVE and tokens[last].pause < _HESITATION:
            continue
        unwanted.update(range(first, last + 1))
    return without(tokens, unwanted)
