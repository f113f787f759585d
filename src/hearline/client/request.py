"""How the arguments of both APIs become a task to ask for and a server to ask."""

import uuid
from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec
from msgspec import Struct

from hearline.client.endpoint import Access
from hearline.errors import InputRequired, InvalidParameter, ModelRequired, shown
from hearline.wire.client import Deadlines
from hearline.wire.messages import RunTask

_ACCESS: Final = frozenset({"api_key", "base_address", "workspace", "headers"})
_RESERVED: Final = _ACCESS | {
    "api_protocol",
    "deadlines",
    "enable_encryption",
    "extra_url_parameters",
    "flattened_output",
    "form",
    "http_method",
    "is_binary_input",
    "pre_task_id",
    "query",
    "raw_input",
    "request_timeout",
    "resources",
    "session",
    "stream",
    "task_id",
    "user_agent",
    "ws_stream_mode",
}
"""Names that never go over the wire as parameters (spec 3)."""


class Request(Struct, frozen=True, kw_only=True):
    """A task to ask for, whom to ask, and how long to wait."""

    task: RunTask
    access: Access
    deadlines: Deadlines


def check_required(model: object, audio_format: object, sample_rate: object) -> None:
    """Check what every task needs; the texts are the ones that users know (spec 5.4).

    Raises:
        ModelRequired: No model is named.
        InputRequired: The format or the sample rate is missing.

    """
    if not model:
        raise ModelRequired("Model is required!")
    if audio_format is None:
        raise InputRequired("format is required!")
    if sample_rate is None:
        raise InputRequired("sample_rate is required!")


def build_request(
    model: str,
    options: Mapping[str, object],
    *,
    task_id: str,
    phrase_id: str | None = None,
    deadlines: Deadlines | None = None,
) -> Request:
    """Sort keyword arguments into parameters of the task and settings of the connection.

    Args:
        model: The model to ask for.
        options: Everything the caller said; None counts as unsaid.
        task_id: The new task's id.
        phrase_id: A phrase list of the first generation (spec 7.2).
        deadlines: How long to wait, unless `options` has ``deadlines``.

    Raises:
        InvalidParameter: A setting of the connection has the wrong type.

    """
    said = {name: value for name, value in options.items() if value is not None}
    resources = [{"resource_id": phrase_id, "resource_type": "asr_phrase"}] if phrase_id else []
    return Request(
        task=RunTask(
            task_id=task_id,
            model=model,
            parameters={name: value for name, value in said.items() if name not in _RESERVED},
            input=_convert(said.get("raw_input", {}), dict[str, Any], "raw_input"),
            resources=tuple(resources),
        ),
        access=_convert({n: said[n] for n in _ACCESS if n in said}, Access, "argument"),
        deadlines=_deadlines(said, deadlines or Deadlines()),
    )


def new_task_id() -> str:
    """Return a fresh id: 32 hexadecimal digits, as the official SDK sends it."""
    return uuid.uuid4().hex


def audio_bytes(buffer: object) -> bytes:
    """Return the audio as it is now, copied only where it could still change.

    Raises:
        TypeError: It is not bytes, or like bytes.

    """
    if isinstance(buffer, bytes):
        return buffer
    if isinstance(buffer, bytearray | memoryview):
        return bytes(cast("bytearray", buffer))
    raise TypeError(f"Audio must be bytes, not {type(buffer).__name__}.")


def _deadlines(said: Mapping[str, object], default: Deadlines) -> Deadlines:
    deadlines = said.get("deadlines", default)
    if not isinstance(deadlines, Deadlines):
        raise InvalidParameter(f"Invalid deadlines {shown(deadlines)}: expected Deadlines(...).")
    if "request_timeout" not in said:
        return deadlines
    connect_s = _convert(said["request_timeout"], float, "request_timeout")
    return msgspec.structs.replace(deadlines, connect_s=connect_s)


def _convert(value: object, kind: Any, name: str) -> Any:  # noqa: ANN401 - msgspec's own signature
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as exc:
        raise InvalidParameter(f"Invalid {name}: {exc}.") from exc
