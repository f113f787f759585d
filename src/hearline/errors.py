"""Every exception of Hearline, each with its wire code, its HTTP status and whether to retry.

The one place where these three are written down. Foreign exceptions are renamed to one of these at
exactly one border each; the shells translate these into ``task-failed``, JSON, exit codes or
``on_error``.
"""

from typing import ClassVar, Final

_SHOWN_CHARACTERS: Final = 40


def shown(value: object) -> str:
    """Return a value as an error may show it: quoted as it came, and short."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 3] + "..."


class HearlineError(Exception):
    """Base of every error that Hearline raises.

    Attributes:
        message: What is wrong and what to do, for people.
        reported_code: The code that goes over, or came over, the wire.

    """

    code: ClassVar[str] = "InternalError"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.reported_code = self.code


class UsageError(HearlineError):
    """The caller asked for something that cannot be."""

    code = "InvalidParameter"
    http_status = 400


class InvalidParameter(UsageError):
    """A value is of the wrong type or out of its range."""


class InvalidState(InvalidParameter):
    """The call does not fit the state, such as sending after the end.

    A kind of `InvalidParameter`, because that is what DashScope users catch (spec 5.3).
    """


class InvalidTask(UsageError):
    """No task is named, or it is not one this server performs."""


class ModelRequired(UsageError):
    """No model is named."""


class InputRequired(UsageError):
    """A required argument is missing."""


class InputDataRequired(UsageError):
    """The input holds no data."""


class ConfigurationError(UsageError):
    """A setting is unknown, of the wrong type, or out of its range."""


class ProtocolError(HearlineError):
    """The conversation broke the task protocol."""


class LocalProtocolError(ProtocolError):
    """This side would have broken the protocol: a defect of the caller."""


class RemoteProtocolError(ProtocolError):
    """The other side broke the protocol."""

    code = "InvalidParameter"
    http_status = 400


class MalformedMessage(RemoteProtocolError):
    """A message of a known kind lacks what it needs; the conversation itself is sound."""


class InvalidReply(RemoteProtocolError):
    """The server broke the protocol, so that the task cannot go on."""

    code = "ProtocolError"
    http_status = 502


class EarlyFinish(InvalidReply):
    """The server ended the task before it was asked to."""

    code = "EarlyFinish"


class TransportError(HearlineError):
    """The connection failed; the request itself may be fine."""

    code = "ConnectionError"
    http_status = 503
    retryable = True


class ConnectError(TransportError):
    """No connection could be made, or the handshake was refused.

    Attributes:
        status: The HTTP status that refused the handshake, or None if there was no answer.

    """

    def __init__(self, message: str = "", *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class ConnectionLost(TransportError):
    """The connection ended before the task did."""


class TransportTimeout(TransportError):
    """The other side made no progress in time."""

    code = "RequestTimeOut"


class TaskFailed(HearlineError):
    """The task ended in failure.

    Raised as such by the SDK for whatever ``error_code`` a server sent; the server raises one of
    the kinds below.
    """

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        super().__init__(message)
        self.reported_code = code or self.code


class AuthenticationError(TaskFailed):
    """No key was given, or it is not valid."""

    code = "InvalidApiKey"
    http_status = 401


class AccessDenied(AuthenticationError):
    """The key is valid, but not for this."""

    code = "AccessDenied"
    http_status = 403


class ModelNotFound(TaskFailed):
    """No engine serves the model that was named."""

    code = "ModelNotFound"
    http_status = 404


class AudioError(TaskFailed):
    """The audio is not what was declared, or cannot be decoded."""

    code = "UNSUPPORTED_FORMAT"
    http_status = 400


class NoValidAudio(AudioError):
    """No audio came before the task was finished (spec 6.1)."""

    code = "NO_VALID_AUDIO_ERROR"


class ClientTimeout(TaskFailed):
    """The client sent nothing for too long (spec 2.3)."""

    code = "CLIENT_ERROR"
    http_status = 400


class EngineError(TaskFailed):
    """The recogniser failed on this session."""


class Overloaded(TaskFailed):
    """The server has no room for this session now."""

    code = "Throttling.RateQuota"
    http_status = 429
    retryable = True
