"""What callers of the callback API get: results, callbacks, delays; and errors as results.

The one place where an exception becomes a `RecognitionResult`.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from hearline.errors import AuthenticationError, ConnectError, HearlineError, TaskFailed
from hearline.wire.messages import ResultGenerated

SentenceDict: TypeAlias = dict[str, Any]
"""A sentence as it came over the wire (spec 4)."""

_OK: Final = 200
_TASK_FAILED: Final = 44
_NO_ANSWER: Final = -1
_FIRST_ERROR_STATUS: Final = 400


class RecognitionResult(dict[str, Any]):
    """A result: one sentence in a callback, all finals after `Recognition.call`, or an error.

    A dictionary whose items are also attributes, as DashScope's users know it; ``str`` is its JSON.
    """

    def __init__(
        self,
        *,
        status_code: int,
        request_id: str,
        code: str = "",
        message: str = "",
        output: Mapping[str, Any] | None = None,
        usages: Sequence[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(
            status_code=status_code,
            request_id=request_id,
            code=code,
            message=message,
            output=output,
            usage=usages[-1]["usage"] if usages else None,
            usages=usages,
        )

    @property
    def status_code(self) -> int:
        """200 if all is well, the HTTP status of a refused handshake, 44 or -1 (spec 6.1)."""
        return self["status_code"]

    @property
    def request_id(self) -> str:
        """The id of the task."""
        return self["request_id"]

    @property
    def code(self) -> str:
        """The error's code, ``""`` if all is well."""
        return self["code"]

    @property
    def message(self) -> str:
        """The error's text, ``""`` if all is well."""
        return self["message"]

    @property
    def output(self) -> dict[str, Any] | None:
        """The payload's ``output``: ``{"sentence": …}``."""
        return self["output"]

    @property
    def usage(self) -> dict[str, Any] | None:
        """What the task costs so far, ``{"duration": seconds}``, where this result says it."""
        return self["usage"]

    @property
    def usages(self) -> list[dict[str, Any]] | None:
        """The cost at each final: ``[{"end_time": ms, "usage": {…}}, …]``."""
        return self["usages"]

    def get_sentence(self) -> SentenceDict | list[SentenceDict] | None:
        """Return the sentence, after `Recognition.call` the list of final ones, None without."""
        return self.output.get("sentence") if self.output else None

    def get_request_id(self) -> str:
        """Return the id of the task."""
        return self.request_id

    def get_usage(self, sentence: SentenceDict) -> dict[str, Any] | None:
        """Return the cost of the task up to the end of a final sentence, None if unknown."""
        if not self.is_sentence_end(sentence):
            return None
        ends = (usage for usage in self.usages or () if usage["end_time"] == sentence["end_time"])
        return next((usage["usage"] for usage in ends), None)

    @staticmethod
    def is_sentence_end(sentence: SentenceDict | None) -> bool:
        """Return whether a sentence is final."""
        return sentence is not None and sentence.get("end_time") is not None

    def __str__(self) -> str:
        return msgspec.json.encode(dict(self)).decode()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({super().__repr__()})"


class RecognitionCallback:
    """What `Recognition` calls as things happen; derive from it and override what you need.

    All calls of one task come one after the other. An exception in one of them is logged and hurts
    nothing else, except in `on_open`: `Recognition.start` raises it.
    """

    def on_open(self) -> None:
        """Take note that the server is connected; runs inside `Recognition.start`."""

    def on_event(self, result: RecognitionResult) -> None:
        """Take a sentence, partial or final."""

    def on_complete(self) -> None:
        """Take note that all results have come."""

    def on_error(self, result: RecognitionResult) -> None:
        """Take the error that ended the task; `on_complete` will not come."""

    def on_close(self) -> None:
        """Take note that the connection is closed; nothing follows."""


class Delays:
    """The two delays of one task, in ms, as the API documents them; None until both ends are seen.

    A delay that was never measured is None, not a number that looks like one (spec 5.5, 10).
    """

    def __init__(self) -> None:
        self._audio_s: float | None = None
        self._text_s: float | None = None
        self._stop_s: float | None = None
        self._end_s: float | None = None

    @property
    def first_package_ms(self) -> float | None:
        """From the first packet sent to the first text received."""
        return _span_ms(self._audio_s, self._text_s)

    @property
    def last_package_ms(self) -> float | None:
        """From the end of the audio to the end of the task."""
        return _span_ms(self._stop_s, self._end_s)

    def audio_sent(self) -> None:
        """Take note that a packet goes out."""
        self._audio_s = self._audio_s or time.monotonic()

    def received(self, event: ResultGenerated) -> None:
        """Take note of a result."""
        if event.sentence.text:
            self._text_s = self._text_s or time.monotonic()

    def stopped(self) -> None:
        """Take note that no more audio will come."""
        if self._end_s is None:
            self._stop_s = self._stop_s or time.monotonic()

    def finished(self) -> None:
        """Take note that all results have come."""
        self._end_s = time.monotonic()


def sentence_result(event: ResultGenerated, request_id: str) -> RecognitionResult:
    """Return a sentence as a callback gets it."""
    usages = _usages([event])
    return RecognitionResult(
        status_code=_OK, request_id=request_id, output=event.output, usages=usages or None
    )


def final_result(finals: Sequence[ResultGenerated], request_id: str) -> RecognitionResult:
    """Return the result of a whole file (spec 5.2)."""
    sentences = [event.output["sentence"] for event in finals]
    return RecognitionResult(
        status_code=_OK,
        request_id=request_id,
        output={"sentence": sentences} if sentences else None,
        usages=_usages(finals),
    )


def error_result(error: HearlineError, request_id: str) -> RecognitionResult:
    """Return an error as a result: status, code and text (spec 1.3 and 6.1)."""
    code = error.reported_code if isinstance(error, TaskFailed) else error.code
    return RecognitionResult(
        status_code=_status(error), request_id=request_id, code=code, message=error.message
    )


def _status(error: HearlineError) -> int:
    match error:
        case AuthenticationError():
            return error.http_status
        case TaskFailed():
            return _TASK_FAILED
        case ConnectError(status=int(status)) if status >= _FIRST_ERROR_STATUS:
            return status
        case _:
            # A redirect or a 200 without upgrade is a failure too and must not look like success.
            return _NO_ANSWER


def _usages(events: Sequence[ResultGenerated]) -> list[dict[str, Any]]:
    return [
        {"end_time": event.sentence.end_time, "usage": msgspec.to_builtins(event.usage)}
        for event in events
        if event.usage
    ]


def _span_ms(begin_s: float | None, end_s: float | None) -> float | None:
    return None if begin_s is None or end_s is None else (end_s - begin_s) * 1000
