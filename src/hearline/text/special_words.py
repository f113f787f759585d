"""Special words: masked by asterisks or left out, as a task's list or ours says (spec 3.1).

Words of scripts with spaces match whole words, whatever their case; Han and kana match anywhere.
A special word may be part of a recognised word, or several of them.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from hearline.errors import InvalidParameter
from hearline.text.tokens import UNSPACED, Edit, Token, rewrite, spans, spell

RESERVED: Final = (
    *("asshole", "bitch", "bullshit", "cunt", "fuck", "fucked", "fucker", "fucking"),
    *("motherfucker", "motherfucking", "shit", "shitty", "son of a bitch"),
    *("他妈的", "你妈的", "操你妈", "草泥马", "傻逼", "王八蛋", "狗娘养的", "婊子"),
    *("くそったれ", "クソ野郎", "くそ野郎", "死ね"),
)
"""The words that ``system_reserved_filter`` masks."""

_FIELD: Final = "payload.parameters.special_word_filter"
_NO_LETTER_BEFORE: Final = r"(?<![0-9A-Za-zÀ-ɏͰ-ӿ'’])"
_NO_LETTER_AFTER: Final = r"(?![0-9A-Za-zÀ-ɏͰ-ӿ'’])"
_UNSPACED: Final = re.compile(f"[{UNSPACED}]")


class WordList(Struct, frozen=True, kw_only=True):
    """Words that share a fate; at most 32.

    Attributes:
        word_list: The words, in any case.

    """

    word_list: Annotated[tuple[str, ...], Meta(max_length=32)] = ()


class SpecialWords(Struct, frozen=True, kw_only=True):
    """What a task wants of special words.

    Attributes:
        filter_with_signed: Words whose characters become asterisks.
        filter_with_empty: Words that are left out.
        system_reserved_filter: Whether our own words become asterisks too.

    """

    filter_with_signed: WordList = WordList()
    filter_with_empty: WordList = WordList()
    system_reserved_filter: bool = False


class WordFilter:
    """Special words, ready to be looked for."""

    def __init__(self, wanted: SpecialWords) -> None:
        """Compile what is looked for."""
        reserved = RESERVED if wanted.system_reserved_filter else ()
        self._masked = _compile((*wanted.filter_with_signed.word_list, *reserved))
        self._removed = _compile(wanted.filter_with_empty.word_list)

    def apply(self, tokens: Sequence[Token]) -> list[Token]:
        """Return tokens with special words masked and left out; what is in both lists is left out.

        Words that meet because others were left out are looked at again.
        """
        result = list(tokens)
        while self._removed and (edits := _edits(result, self._removed, "")):
            result = rewrite(result, edits)
        return rewrite(result, _edits(result, self._masked, "*")) if self._masked else result


def read_special_words(text: str) -> SpecialWords:
    """Read the JSON text of the parameter.

    Raises:
        InvalidParameter: It is no JSON, or has another shape; the message says where.

    """
    try:
        return msgspec.json.decode(text, type=SpecialWords)
    except msgspec.DecodeError as problem:
        raise InvalidParameter(f"Invalid parameter '{_FIELD}': {problem}.") from problem


def _compile(words: Iterable[str]) -> re.Pattern[str] | None:
    """Return what finds any of the words, the longest first."""
    present = sorted({word.strip() for word in words if word.strip()}, key=lambda word: -len(word))
    if not present:
        return None
    return re.compile("|".join(_pattern(word) for word in present), re.IGNORECASE)


def _pattern(word: str) -> str:
    before = "" if _UNSPACED.match(word) else _NO_LETTER_BEFORE
    after = "" if _UNSPACED.match(word[-1]) else _NO_LETTER_AFTER
    return before + r"\s+".join(re.escape(part) for part in word.split()) + after


def _edits(tokens: Sequence[Token], pattern: re.Pattern[str], with_: str) -> list[Edit]:
    """Return an edit for each token that a match touches, so that words stay apart."""
    edits: list[Edit] = []
    places = spans(tokens)
    for match in pattern.finditer(spell(tokens)):
        for start, stop in places:
            begin, end = max(start, match.start()), min(stop, match.end())
            if begin < end:
                edits.append((begin, end, with_ * (end - begin)))
    return edits
