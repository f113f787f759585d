"""Inverse text normalisation: numbers in words become numbers in digits (spec 3.5).

wetext knows how to read a number, and this is the only module that imports it. What counts as one
is decided here, because its taste in dates and times (十一月七号 as ``11/07``, 下午三点半 as
``03:30:00p.m.``) is not that of a transcript: only expressions of the patterns below are converted,
each on its own, and only if what comes back has the form that is expected. Months, days, hours and
minutes get digits and keep their own words: 11月7号, 下午3点半. Approximate numbers stay: 十几.

An expression is the same whatever surrounds it, so its conversion is cached; a partial costs one
search. An expression never spans a pause or punctuation.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any, Final, Protocol, cast

from hearline.text.punctuation import COMMA_PAUSE
from hearline.text.tokens import Edit, Token, rewrite, spell

_ONES: Final = "zero|one|two|three|four|five|six|seven|eight|nine"
_TEENS: Final = (
    "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|"
    "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
)
_SCALES: Final = "hundred|thousand|million|billion|trillion"
_N: Final = rf"\b(?:{_ONES}|{_TEENS}|{_SCALES})\b"
_JOINT: Final = (
    rf"(?:(?:(?<=hundred)|(?<=thousand)|(?<=million))\sand\s(?={_N})"
    rf"|\s(?:point|oh)\s(?={_N})|[\s-])"
)
_ORDINAL: Final = "first|third|fourth|fifth|sixth|seventh|eighth|ninth"
_RUN: Final = rf"\b(?:{_ONES}|{_TEENS})\b(?:{_JOINT}{_N})*+"
_ENGLISH: Final = re.compile(
    # "twenty second" may be an ordinal or a duration: it stays.
    rf"{_RUN}(?!\ssecond\b)(?:\s(?:per\s?cent|(?:dollars?|euros?)\b(?:\sand\s{_RUN}\scents)?)"
    rf"|[\s-](?:{_ORDINAL}))?\b",
    re.IGNORECASE,
)
_ENGLISH_FORM: Final = re.compile(
    r"[$€]?\d+(?:\.\d+)?(?: (?:million|billion|trillion))?%?|\d+(?:st|nd|rd|th)"
)
_ENGLISH_KINDS: Final = frozenset(
    {"cardinal", "decimal", "money", "measure", "telephone", "ordinal"}
)
_YEAR: Final = re.compile(r"1[1-9]\d\d|20\d\d")

_DIGITS: Final = {
    ord(digit): str(place % 10) for place, digit in enumerate("〇一二三四五六七八九零")
}
_DIGITS[ord("两")] = "2"

_C: Final = "[零〇一二两三四五六七八九十百千万亿]"
_CHINESE: Final = re.compile(
    rf"(?P<parts>(?:{_C}{{2,}}年)?{_C}{{1,3}}月(?:{_C}{{1,3}}[日号])?"
    rf"|{_C}{{1,3}}点(?:半|整|钟|{_C}{{1,3}}分(?:{_C}{{1,3}}秒)?)"
    rf"|(?:(?<=上午|下午|早上|晚上|中午|凌晨|傍晚)){_C}{{1,3}}点(?:{_C}{{1,3}})?)"
    rf"|(?<![几数]){_C}+分之{_C}+(?:点{_C}+)?"
    rf"|(?<![几数])(?:{_C}+点{_C}+|{_C}{{2,}})(?![几多余来])"
)
_J: Final = "[零〇一二三四五六七八九十百千万億兆]"
_COUNTERS: Final = (
    "[円人年月日時分秒個歳才回度本枚台冊階番件名点倍匹]|パーセント|メートル|キロ|グラム|ドル|ページ"
)
_JAPANESE: Final = re.compile(
    rf"(?P<parts>(?:{_J}{{2,}}年)?{_J}{{1,3}}月{_J}{{1,3}}日"
    rf"|{_J}{{1,3}}時(?:半|{_J}{{1,3}}分)|(?<=午前|午後){_J}{{1,3}}時)"
    rf"|{_J}+分の{_J}+|{_J}+(?:点{_J}+)?パーセント"
    rf"|(?<![何数])(?:{_J}+点{_J}+|{_J}{{2,}}(?={_COUNTERS})|{_J}{{3,}})(?![何数余])"
)
_NUMERAL: Final = {"zh": re.compile(f"{_C}+"), "ja": re.compile(f"{_J}+")}
_PLACE_VALUE: Final = re.compile("[十百千万亿億兆点分]")
_SPELLED_OUT: Final = 3
"""Least digits of a number that is spelled out, such as a year; 三四 is "three or four"."""
_EASTERN_FORM: Final = re.compile(r"(?:\d+(?:\.\d+)?[万亿億兆]?)+%?|\d+/\d+")


class _Mapping(Protocol):
    token_type: str
    input_text: str


class _Result(Protocol):
    output_text: str
    mappings: Sequence[_Mapping]


def write_numbers(tokens: Sequence[Token], language: str | None) -> list[Token]:
    """Return tokens with numbers in digits, each number one token."""
    find = _FINDERS.get(language or "")
    if find is None:
        return list(tokens)
    result: list[Token] = []
    for stretch in _stretches(tokens):
        *before, last = rewrite(stretch, list(find(spell(stretch))))
        ending = stretch[-1]
        result += before
        result.append(replace(last, mark=ending.mark, space=ending.space, pause=ending.pause))
    return result


def _stretches(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Cut tokens where an expression cannot go on: at punctuation and at pauses."""
    start = 0
    for place, token in enumerate(tokens, 1):
        if place == len(tokens) or token.mark or token.pause >= COMMA_PAUSE:
            yield tokens[start:place]
            start = place


def _english(text: str) -> Iterator[Edit]:
    for match in _ENGLISH.finditer(text):
        digits = _read_english(match.group().lower().replace("-", " "))
        if digits is not None:
            yield match.start(), match.end(), digits


@lru_cache(maxsize=4096)
def _read_english(expression: str) -> str | None:
    """Return an expression in digits, None where it is no number, or not plainly one."""
    result = _normalise("en", expression)
    if [mapping.input_text for mapping in result.mappings] != [expression]:
        return None
    digits = result.output_text.replace(" %", "%")
    kind = result.mappings[0].token_type
    if kind == "date":
        plain = "thousand" in expression or "hundred" in expression or _YEAR.fullmatch(digits)
        return digits if plain and digits.isdecimal() else None
    return digits if kind in _ENGLISH_KINDS and _ENGLISH_FORM.fullmatch(digits) else None


def _eastern(language: str, pattern: re.Pattern[str]) -> Callable[[str], Iterator[Edit]]:
    def find(text: str) -> Iterator[Edit]:
        for match in pattern.finditer(text):
            if match["parts"] is not None:
                for part in _NUMERAL[language].finditer(text, match.start(), match.end()):
                    yield part.start(), part.end(), _read_part(language, part.group())
            elif (digits := _read_eastern(language, match.group())) is not None:
                yield match.start(), match.end(), digits

    return find


@lru_cache(maxsize=4096)
def _read_eastern(language: str, expression: str) -> str | None:
    """Return an expression in digits, None where it is no number, or not plainly one."""
    if len(expression) < _SPELLED_OUT and not _PLACE_VALUE.search(expression):
        return None
    digits = _normalise(language, expression).output_text
    return digits if _EASTERN_FORM.fullmatch(digits) else None


def _read_part(language: str, numeral: str) -> str:
    """Return the numeral of a date or a time in digits; it may have a single one."""
    if not _PLACE_VALUE.search(numeral):
        return numeral.translate(_DIGITS)
    return _read_eastern(language, numeral) or numeral


@cache
def _normaliser(language: str) -> Any:  # noqa: ANN401 - wetext has no types
    """Load the rules of a language, once; this takes half a second for the first one."""
    from wetext import Normalizer  # noqa: PLC0415 # pyright: ignore - only when needed, no types

    return cast("Any", Normalizer)(lang=language, operator="itn")


def _normalise(language: str, expression: str) -> _Result:
    return cast("_Result", _normaliser(language).normalize_with_mapping(expression))


_FINDERS: Final[Mapping[str, Callable[[str], Iterator[Edit]]]] = {
    "en": _english,
    "zh": _eastern("zh", _CHINESE),
    "ja": _eastern("ja", _JAPANESE),
}
