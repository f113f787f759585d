"""The context of a task: what was said before, checked and cut to what counts (spec 3.3).

Knows the shape that clients send it in and the limits that are documented, not what it is good for.
"""

from typing import Final, cast

from msgspec import Struct

from hearline.errors import InvalidParameter, shown
from hearline.wire.messages import Json

MOST_TURNS: Final = 5
"""How many turns count: the newest."""
TURN_CHARACTERS: Final = 400
"""How much of a turn counts, its user's text and its assistant's together: the beginning."""

_CONTENT_TYPES: Final = {"user": "input_text", "assistant": "text"}
_FIELD: Final = "payload.input.context"


class ContextTurn(Struct, frozen=True, kw_only=True):
    """One exchange before the audio.

    Attributes:
        user: What the user said, or words of the field.
        assistant: What was answered, ``""`` if nothing was.

    """

    user: str
    assistant: str = ""


def read_context(raw: Json) -> tuple[ContextTurn, ...]:
    """Return the context in the ``input`` of a message, the oldest turn first; empty without one.

    A turn begins with a user's message, and an assistant's may follow it.

    Raises:
        InvalidParameter: It has another shape; the message names the field and what is expected.

    """
    turns: list[ContextTurn] = []
    previous = ""
    items = _list([] if raw.get("context") is None else raw["context"], _FIELD)
    for place, item in enumerate(items):
        role, text = _read_message(item, f"{_FIELD}[{place}]")
        if role == "user":
            turns.append(ContextTurn(user=text))
        elif previous == "user":
            turns[-1] = ContextTurn(user=turns[-1].user, assistant=text)
        else:
            raise _invalid(f"{_FIELD}[{place}].role", role, "user before each assistant")
        previous = role
    return tuple(_cut(turn) for turn in turns[-MOST_TURNS:])


def _read_message(item: object, field: str) -> tuple[str, str]:
    """Return who says a message, and its whole text."""
    message = _object(item, field)
    role = message.get("role")
    if not isinstance(role, str) or role not in _CONTENT_TYPES:
        raise _invalid(f"{field}.role", role, "user or assistant")
    parts = _list(message.get("content"), f"{field}.content")
    texts = [
        _read_part(part, f"{field}.content[{place}]", _CONTENT_TYPES[role])
        for place, part in enumerate(parts)
    ]
    return role, "".join(texts)


def _read_part(item: object, field: str, expected: str) -> str:
    part = _object(item, field)
    kind, text = part.get("type"), part.get("text")
    if kind != expected:
        raise _invalid(f"{field}.type", kind, expected)
    if not isinstance(text, str):
        raise _invalid(f"{field}.text", text, "a string")
    return text


def _cut(turn: ContextTurn) -> ContextTurn:
    user = turn.user[:TURN_CHARACTERS]
    return ContextTurn(user=user, assistant=turn.assistant[: TURN_CHARACTERS - len(user)])


def _list(value: object, field: str) -> list[object]:
    if not isinstance(value, list):
        raise _invalid(field, value, "a list")
    return cast("list[object]", value)


def _object(value: object, field: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _invalid(field, value, "an object")
    return cast("dict[str, object]", value)


def _invalid(field: str, value: object, expected: str) -> InvalidParameter:
    return InvalidParameter(f"Invalid parameter '{field}' {shown(value)}: expected {expected}.")
