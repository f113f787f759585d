"""The parameters of a task, each declared once: name, type, range, default, meaning, models.

The server reads tasks by these declarations, the documentation prints them, and tests compare both.
Nulls count as unset, unknown names are ignored, and numbers or booleans written as strings are
understood, because real clients send all three (spec 2.1 and 3.6). Anything else that does not fit
is an error that names field, value and allowed range before any audio is taken.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias, cast, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct

from hearline.errors import InvalidParameter, shown

AudioFormat: TypeAlias = Literal["pcm", "wav", "mp3", "opus", "speex", "aac", "amr"]


class Rule(Struct, frozen=True, kw_only=True):
    """What is declared about a parameter beside its type and default.

    Attributes:
        doc: What it does, in Markdown.
        low: Least allowed value, inclusive.
        high: Greatest allowed value, inclusive.
        unit: Unit of the value, or ``""``.
        models: The models it applies to.

    """

    doc: str
    low: float | None = None
    high: float | None = None
    unit: str = ""
    models: str = "all"


class Parameters(Struct, frozen=True, kw_only=True):
    """The parameters of one task, checked (spec 3)."""

    format: Annotated[
        AudioFormat,
        Rule(
            doc="How the audio is encoded. `pcm` is signed 16-bit little-endian; `wav` may hold "
            "any linear PCM, and headerless audio declared as `wav` is taken for `pcm`."
        ),
    ]
    sample_rate: Annotated[
        int,
        Rule(
            doc="Sample rate of the audio. Other rates than 16000 are resampled; "
            "a WAV header overrules it.",
            low=8000,
            high=96_000,
            unit="Hz",
        ),
    ]
    max_sentence_silence: Annotated[
        int,
        Rule(
            doc="A sentence ends when this much silence has followed it. Without effect in "
            "semantic mode.",
            low=200,
            high=6000,
            unit="ms",
        ),
    ] = 1300
    multi_threshold_mode_enabled: Annotated[
        bool,
        Rule(
            doc="Keep sentences from growing too long: up to 5 s of sentence the whole "
            "`max_sentence_silence` ends it, from 30 s on 200 ms do, and in between the silence "
            "needed shrinks evenly. Without effect in semantic mode."
        ),
    ] = False
    semantic_punctuation_enabled: Annotated[
        bool,
        Rule(
            doc="End sentences where they are complete, not by `max_sentence_silence`: for an "
            "engine without punctuation that is a pause of 0.8 s after 2 s of sentence; 2 s of "
            "silence always end one."
        ),
    ] = False
    speech_noise_threshold: Annotated[
        float,
        Rule(
            doc="Where speech ends and noise begins: towards -1 more noise is taken for speech, "
            "towards 1 more speech for noise. Change it in steps of 0.1.",
            low=-1.0,
            high=1.0,
        ),
    ] = 0.0
    language_hints: Annotated[
        tuple[str, ...],
        Rule(
            doc="Languages to expect; the first one counts. Unset, the engine decides. "
            "An engine that does not know the language refuses the task."
        ),
    ] = ()
    punctuation_prediction_enabled: Annotated[
        bool,
        Rule(
            doc="Punctuation; where the engine has none, by pauses, and sentence case with it. "
            "`false` removes it, also for the models where DashScope cannot."
        ),
    ] = True
    inverse_text_normalization_enabled: Annotated[
        bool | None,
        Rule(
            doc="Numbers in digits, for Chinese, English and Japanese. Unset, it is `true` for the "
            "names that begin with `paraformer` and `false` for all others, as documented there.",
        ),
    ] = None
    disfluency_removal_enabled: Annotated[
        bool,
        Rule(doc="Leave out filler words (um, 嗯, えーと), for Chinese, English and Japanese."),
    ] = False
    special_word_filter: Annotated[
        str | None,
        Rule(
            doc="JSON text that names words to mask with `*` and words to leave out, "
            "[see below](#special-words)."
        ),
    ] = None


class Parameter(Struct, frozen=True, kw_only=True):
    """A declaration, as documentation and checks read it."""

    name: str
    kind: Any
    default: Any
    rule: Rule

    @property
    def required(self) -> bool:
        """Whether a task without it is refused."""
        return self.default is NODEFAULT

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        if get_origin(self.kind) is Literal:
            return ", ".join(get_args(self.kind))
        name = _KIND_NAMES[self.kind]
        if self.rule.low is None:
            return name
        return f"{name} in [{self.rule.low:g}, {self.rule.high:g}]"

    def read(self, value: object) -> object:
        """Return `value` in the declared type.

        Raises:
            InvalidParameter: It has another type or lies outside the range.

        """
        coerced = _coerce(value, self.kind)
        if coerced is None or not self._in_range(coerced):
            raise InvalidParameter(
                f"Invalid parameter 'payload.parameters.{self.name}' {shown(value)}: "
                f"expected {self.allowed}."
            )
        return coerced

    def _in_range(self, value: object) -> bool:
        low, high = self.rule.low, self.rule.high
        if low is None or high is None:
            return True
        return isinstance(value, int | float) and low <= value <= high


_KIND_NAMES: Final[Mapping[Any, str]] = {
    int: "an integer",
    float: "a number",
    bool: "true or false",
    str: "a string",
    tuple[str, ...]: "a list of strings",
}


_OPTIONAL: Final = (bool, str)
"""The types of parameters that may also be unset, which no default stands for."""


def _declarations() -> tuple[Parameter, ...]:
    found: list[Parameter] = []
    for field in msgspec.structs.fields(Parameters):
        kind, rule = get_args(field.type)
        kind = next((own for own in _OPTIONAL if kind == own | None), kind)
        found.append(Parameter(name=field.name, kind=kind, default=field.default, rule=rule))
    return tuple(found)


PARAMETERS: Final = _declarations()
"""Every declared parameter, in order of declaration."""


def read_parameters(raw: Mapping[str, object]) -> Parameters:
    """Check the ``parameters`` object of a ``run-task``.

    Raises:
        InvalidParameter: A required parameter is missing, or a value does not fit; the message
            names the field, the value and what is allowed.

    """
    values: dict[str, Any] = {}
    for parameter in PARAMETERS:
        value = raw.get(parameter.name)
        if value is not None:
            values[parameter.name] = parameter.read(value)
        elif parameter.required:
            raise InvalidParameter(
                f"Missing required parameter 'payload.parameters.{parameter.name}': "
                f"expected {parameter.allowed}."
            )
    return Parameters(**values)


def _coerce(value: object, kind: Any) -> object:  # noqa: ANN401 - a type form
    """Return `value` as `kind`, or None where it cannot be understood as one."""
    if get_origin(kind) is Literal:
        return value if value in get_args(kind) else None
    if kind is bool:
        return {"true": True, "false": False}.get(str(value).lower())
    if kind in (int, float) and not isinstance(value, bool):
        return _number(value, kind)
    if kind is str:
        return value if isinstance(value, str) else None
    if kind == tuple[str, ...] and isinstance(value, list):
        present = [item for item in cast("list[object]", value) if item is not None]
        return tuple(present) if all(isinstance(item, str) for item in present) else None
    return None


def _number(value: object, kind: type[int] | type[float]) -> int | float | None:
    try:
        number = float(cast("str", value))
    except (TypeError, ValueError, OverflowError):
        return None
    if kind is float:
        return number
    return int(number) if number.is_integer() else None
