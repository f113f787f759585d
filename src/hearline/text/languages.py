"""Which language a text is to be written in, as far as writing it needs to know."""

import re
from typing import Final

from hearline.text.tokens import UNSPACED

_UNSPACED: Final = re.compile(f"[{UNSPACED}]")
_KANA: Final = re.compile("[\u3040-\u30ff\uff66-\uff9f]")
_CHINESE: Final = frozenset({"zh", "yue", "wu"})

FULL_WIDTH: Final = frozenset({"zh", "ja"})
"""Languages whose punctuation is as wide as their characters."""


def language_of(text: str, expected: str | None) -> str | None:
    """Return the language whose rules hold for a text.

    Args:
        text: Its script decides wherever it can: kana is Japanese, Han without kana Chinese unless
            Japanese is expected, and a text with neither is no Chinese or Japanese.
        expected: Code of the language that a client or an engine names.

    Returns:
        ``"zh"`` for all Chinese languages, None where only the rules of no language in particular
        hold: Latin letters alone do not tell English from its neighbours.

    """
    if _UNSPACED.search(text):
        return "ja" if expected == "ja" or _KANA.search(text) else "zh"
    if expected in _CHINESE or expected == "ja":
        return None
    return expected
