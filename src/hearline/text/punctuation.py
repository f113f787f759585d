"""Punctuation and sentence case for engines that have none, by pauses; or none, if so wished.

A comma stands where the speaker paused, a full stop where the utterance ended. A question mark
stands only where the last word is a question particle: Chinese 吗, Japanese か after a polite verb.
English questions need the tone of voice, which words do not show, so they end in a full stop.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hearline.speech import SAMPLE_RATE
from hearline.text.languages import FULL_WIDTH
from hearline.text.tokens import Token, gap, settled

COMMA_PAUSE: Final = SAMPLE_RATE * 3 // 10
"""Samples of silence between two words that become a comma: 300 ms.

Measured with PocketSphinx's word times on the read English clips that have punctuated transcripts,
228 pairs of words, 14 with a mark between them: from 200 ms 12 of 16 pauses are such marks, from
300 ms 7 of 8, from 350 ms 5 of 5. A comma too many disturbs more than one too few.
"""

_QUESTIONS: Final[Mapping[str, re.Pattern[str]]] = {
    "zh": re.compile("吗$"),
    "ja": re.compile("(?:です|ます|ません|でした|ました|でしょう|ましょう)か$"),
}
_FIRST_PERSON: Final = re.compile(r"i(?:['’](?:m|d|ve|ll|s))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Style:
    comma: str
    stop: str
    question: str


_LATIN: Final = _Style(comma=",", stop=".", question="?")
_STYLES: Final[Mapping[str, _Style]] = {
    "zh": _Style(comma="，", stop="。", question="？"),
    "ja": _Style(comma="、", stop="。", question="？"),
}


def punctuate(tokens: Sequence[Token], language: str | None, *, complete: bool) -> list[Token]:
    """Write tokens as a sentence.

    Args:
        tokens: Without punctuation; marks that are there stay.
        language: As `language_of` has it.
        complete: Whether the sentence ends with the last token, and so in a full stop.

    """
    style = _STYLES.get(language or "", _LATIN)
    space = "" if language in FULL_WIDTH else " "
    result = [_written(token, language) for token in tokens]
    for place, token in enumerate(result[:-1]):
        if token.pause >= COMMA_PAUSE and not token.mark:
            result[place] = replace(token, mark=style.comma, space=space)
    if result:
        result[0] = replace(result[0], text=result[0].text[:1].upper() + result[0].text[1:])
    if result and complete and not result[-1].mark:
        question = _QUESTIONS.get(language or "")
        asks = question is not None and question.search("".join(token.text for token in result))
        result[-1] = replace(result[-1], mark=style.question if asks else style.stop)
    return result


def strip_marks(tokens: Sequence[Token]) -> list[Token]:
    """Return tokens without punctuation; case and spelling stay as they are."""
    result = list(tokens)
    for place, token in enumerate(tokens):
        if token.mark:
            after = tokens[place + 1].text if place + 1 < len(tokens) else ""
            result[place] = replace(token, mark="", space=gap(token.text, after))
    return settled(result)


def _written(token: Token, language: str | None) -> Token:
    """Write the English first person as English does."""
    if language == "en" and _FIRST_PERSON.fullmatch(token.text):
        return replace(token, text="I" + token.text[1:])
    return token
