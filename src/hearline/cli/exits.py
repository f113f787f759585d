"""How `hearline` ends: its exit statuses, and which error leads to which."""

from enum import IntEnum
from typing import Final, Self

from hearline.errors import (
    AccessDenied,
    AuthenticationError,
    ConnectError,
    HearlineError,
    ModelNotFound,
    UsageError,
)


class Exit(IntEnum):
    """An exit status, with its meaning for help and documentation."""

    meaning: str

    def __new__(cls, status: int, meaning: str) -> Self:
        """Take the status for the value, and the meaning beside it."""
        member = int.__new__(cls, status)
        member._value_ = status
        member.meaning = meaning
        return member

    DONE = 0, "all went well"
    FAILED = 1, "at least one file could not be recognised, or nothing could be written"
    USAGE = 2, "wrong usage: an option, a setting, a model or a language"
    UNREACHABLE = 3, "no server could be reached, or it did not accept the key"
    INTERRUPTED = 130, "interrupted by Ctrl-C"
    UNREAD = 141, "whoever read the output stopped reading"


_REFUSED_CODES: Final = frozenset({AuthenticationError.code, AccessDenied.code})
_USAGE_CODES: Final = frozenset({UsageError.code, ModelNotFound.code})


def exit_of(error: HearlineError) -> Exit:
    """Return the status that an error leads to.

    A `FAILED` is about one file only; every other one would meet the next file just the same.
    """
    if isinstance(error, ConnectError) or error.reported_code in _REFUSED_CODES:
        return Exit.UNREACHABLE
    if isinstance(error, UsageError) or error.reported_code in _USAGE_CODES:
        return Exit.USAGE
    return Exit.FAILED
