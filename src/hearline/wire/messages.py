"""The messages of the task protocol as records, and their JSON.

Every control message is a JSON object ``{"header": {...}, "payload": {...}}``; audio travels in
binary messages and has no record here. Key order never matters. Reading is lenient where real
clients are loose (spec 2.1), strict where the service documents an error (spec 2.4).
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias, TypeGuard, cast

import msgspec
from msgspec import UNSET, Struct, UnsetType

from hearline.errors import InvalidTask, MalformedMessage, RemoteProtocolError, shown

Json: TypeAlias = Mapping[str, Any]
"""A JSON object whose members are not known beforehand."""


class RunTask(Struct, frozen=True, kw_only=True, tag="run-task"):
    """The first message of a task: what to do, with which model and parameters (spec 2.1)."""

    task_id: str
    model: str
    parameters: Json
    input: Json = {}
    resources: tuple[Json, ...] = ()


class ContinueTask(Struct, frozen=True, kw_only=True, tag="continue-task"):
    """New context for the audio that follows (spec 2.1)."""

    task_id: str
    input: Json = {}


class FinishTask(Struct, frozen=True, kw_only=True, tag="finish-task"):
    """The declaration that no more audio will come (spec 2.1)."""

    task_id: str


ClientMessage: TypeAlias = RunTask | ContinueTask | FinishTask


class Word(Struct, frozen=True, kw_only=True):
    """A word of a sentence, as the wire has it (spec 4).

    Attributes:
        begin_time: Start in ms of the task's audio.
        end_time: End in ms of the task's audio.
        text: The word; with `punctuation` it joins to the sentence's text.
        punctuation: What follows the word, ``""`` if nothing does.
        confidence: Extension: posterior probability in ``[0, 1]``; absent where unknown.

    """

    begin_time: int
    end_time: int
    text: str
    punctuation: str = ""
    confidence: float | UnsetType = UNSET


class Sentence(Struct, frozen=True, kw_only=True):
    """An utterance, as the wire has it (spec 4).

    Attributes:
        sentence_id: From 1, one more for each sentence; 0 in heartbeats.
        begin_time: Start in ms of the task's audio.
        end_time: End in ms of the task's audio; None exactly while the sentence is not final.
        text: The whole text of the sentence so far.
        words: The words so far.
        sentence_begin: Whether this is the sentence's first message.
        sentence_end: Whether the text is final; agrees with `end_time` always (spec 12).
        heartbeat: Whether this only says that the connection lives.
        channel_id: The channel, where a server names one.
        speaker_id: The speaker, where a server names one.

    """

    begin_time: int
    end_time: int | None
    text: str
    sentence_end: bool
    sentence_id: int | UnsetType = UNSET
    words: tuple[Word, ...] = ()
    sentence_begin: bool | UnsetType = UNSET
    heartbeat: bool | UnsetType | None = UNSET
    channel_id: int | UnsetType = UNSET
    speaker_id: str | int | UnsetType | None = UNSET


class Usage(Struct, frozen=True, kw_only=True):
    """What the task costs so far (spec 4).

    Attributes:
        duration: Seconds of audio received, rounded up.

    """

    duration: int


class TaskStarted(Struct, frozen=True, kw_only=True, tag="task-started"):
    """The task runs: audio may be sent (spec 2.2)."""

    task_id: str | None
    attributes: Json = {}


class ResultGenerated(Struct, frozen=True, kw_only=True, tag="result-generated"):
    """A sentence, partial or final (spec 2.2).

    Attributes:
        sentence: The sentence as a record.
        usage: The cost so far, on finals; None on partials; unset where the server sent none.
        output: The ``payload.output`` as it came over the wire; empty on the sending side.

    """

    task_id: str | None
    sentence: Sentence
    usage: Usage | UnsetType | None = None
    attributes: Json = {}
    output: Json = {}


class TaskFinished(Struct, frozen=True, kw_only=True, tag="task-finished"):
    """All results are out; the connection may carry another task (spec 2.2)."""

    task_id: str | None
    usage: Usage | None = None
    attributes: Json = {}


class TaskFailed(Struct, frozen=True, kw_only=True, tag="task-failed"):
    """The task ended in failure; the server closes the connection (spec 2.2)."""

    task_id: str | None
    error_code: str
    error_message: str
    attributes: Json = {}


class UnknownEvent(Struct, frozen=True, kw_only=True):
    """A message of a kind this side does not know, to be ignored."""

    task_id: str | None
    event: str


ServerMessage: TypeAlias = TaskStarted | ResultGenerated | TaskFinished | TaskFailed
ReceivedMessage: TypeAlias = ServerMessage | UnknownEvent

_ENCODER: Final = msgspec.json.Encoder()
_STREAMING: Final = "duplex"
_TASK_ID_CHARACTERS: Final = 256
"""Longest task id: it goes into every message and into the log."""


def encode_client(message: ClientMessage) -> str:
    """Return the JSON text of a message from client to server."""
    payload: dict[str, Any]
    match message:
        case RunTask():
            payload = {
                "task_group": "audio",
                "task": "asr",
                "function": "recognition",
                "model": message.model,
                "parameters": message.parameters,
                "input": message.input,
            }
            if message.resources:
                payload["resources"] = message.resources
            action = "run-task"
        case ContinueTask():
            payload, action = {"input": message.input}, "continue-task"
        case FinishTask():
            payload, action = {"input": cast("Json", {})}, "finish-task"
    header = {"action": action, "task_id": message.task_id, "streaming": _STREAMING}
    return _ENCODER.encode({"header": header, "payload": payload}).decode()


def encode_server(message: ServerMessage) -> str:
    """Return the JSON text of a message from server to client.

    Holds what official clients need to live (spec 2.2, "hard requirements"): the payload is always
    an object, a finished task has an empty ``output``, a result has a sentence.
    """
    header: dict[str, Any] = {"task_id": message.task_id}
    payload: dict[str, Any] = {}
    match message:
        case TaskStarted():
            header["event"] = "task-started"
        case ResultGenerated():
            header["event"] = "result-generated"
            payload["output"] = {"sentence": message.sentence}
            if message.usage is not UNSET:
                payload["usage"] = message.usage
        case TaskFinished():
            header["event"] = "task-finished"
            payload = {"output": {}, "usage": message.usage}
        case TaskFailed():
            header["event"] = "task-failed"
            header["error_code"] = message.error_code
            header["error_message"] = message.error_message
    header["attributes"] = message.attributes
    return _ENCODER.encode({"header": header, "payload": payload}).decode()


def decode_client(text: str | bytes) -> ClientMessage:
    """Read a message that a client sent.

    Raises:
        RemoteProtocolError: It is not JSON, not an object, or lacks a required member; the texts
            are those that the service documents (spec 2.4).
        InvalidTask: It asks for something that is not speech recognition.

    """
    header, payload = _open_envelope(text)
    task_id = header.get("task_id")
    if not isinstance(task_id, str) or not task_id:
        raise RemoteProtocolError(_missing("header.task_id"))
    if len(task_id) > _TASK_ID_CHARACTERS:
        raise RemoteProtocolError(
            f"Invalid header.task_id {shown(task_id)}: "
            f"expected at most {_TASK_ID_CHARACTERS} characters."
        )
    match header.get("action"):
        case "run-task":
            return _decode_run_task(task_id, payload)
        case "continue-task":
            return ContinueTask(task_id=task_id, input=_object(payload, "input"))
        case "finish-task":
            _object(payload, "input")
            return FinishTask(task_id=task_id)
        case None:
            raise RemoteProtocolError(_missing("header.action"))
        case action:
            raise RemoteProtocolError(
                f"Invalid header.action {shown(action)}: "
                "expected run-task, continue-task or finish-task."
            )


def task_id_of(text: str | bytes) -> str | None:
    """Return the task that a message names, however wrong the rest of it is."""
    try:
        header, _ = _open_envelope(text)
    except RemoteProtocolError:
        return None
    task_id = header.get("task_id")
    return task_id[:_TASK_ID_CHARACTERS] if isinstance(task_id, str) else None


def _decode_run_task(task_id: str, payload: Json) -> RunTask:
    for name, expected in (("task_group", "audio"), ("task", "asr"), ("function", "recognition")):
        value = payload.get(name)
        if value is None:
            raise RemoteProtocolError(
                "task can not be null" if name == "task" else _missing(f"payload.{name}")
            )
        if value != expected:
            raise InvalidTask(f"Invalid payload.{name} {shown(value)}: expected {expected}.")
    model = payload.get("model")
    if not isinstance(model, str) or not model:
        raise RemoteProtocolError(_missing("payload.model"))
    resources: object = payload.get("resources") or []
    if not _is_list_of_objects(resources):
        raise RemoteProtocolError("Invalid payload.resources: expected a list of objects.")
    return RunTask(
        task_id=task_id,
        model=model,
        parameters=_object(payload, "parameters"),
        input=_object(payload, "input"),
        resources=tuple(cast("list[Json]", resources)),
    )


def decode_server(text: str | bytes) -> ReceivedMessage:
    """Read a message that a server sent.

    Raises:
        MalformedMessage: A known event lacks what it needs.
        RemoteProtocolError: It is not JSON, not an object, or names no event.

    """
    header, payload = _open_envelope(text)
    task_id = header.get("task_id")
    if task_id is not None and not isinstance(task_id, str):
        raise MalformedMessage("Invalid header.task_id: expected a string.")
    raw_attributes = header.get("attributes")
    attributes: Json = raw_attributes if _is_object(raw_attributes) else {}
    match header.get("event"):
        case "task-started":
            return TaskStarted(task_id=task_id, attributes=attributes)
        case "result-generated":
            return _decode_result(task_id, payload, attributes)
        case "task-finished":
            usage = _decode_usage(payload) or None
            return TaskFinished(task_id=task_id, usage=usage, attributes=attributes)
        case "task-failed":
            return TaskFailed(
                task_id=task_id,
                error_code=str(header.get("error_code", "")),
                error_message=str(header.get("error_message", "")),
                attributes=attributes,
            )
        case str(event):
            return UnknownEvent(task_id=task_id, event=event)
        case _:
            raise RemoteProtocolError(_missing("header.event"))


def _decode_result(task_id: str | None, payload: Json, attributes: Json) -> ResultGenerated:
    output, sentence = payload.get("output"), None
    if _is_object(output) and _is_object(raw := output.get("sentence")):
        end_time = raw.get("end_time")
        # Clients that users know read the end from `end_time` alone; some servers omit the flag.
        decided = {**raw, "end_time": end_time, "sentence_end": end_time is not None}
        sentence = _convert(decided, Sentence, "payload.output.sentence")
    if not _is_object(output) or sentence is None:
        raise MalformedMessage(_missing("payload.output.sentence"))
    return ResultGenerated(
        task_id=task_id,
        sentence=sentence,
        usage=_decode_usage(payload),
        attributes=attributes,
        output=output,
    )


def _decode_usage(payload: Json) -> Usage | UnsetType | None:
    """Return the usage; one that cannot be read costs nobody the words it came with."""
    if "usage" not in payload:
        return UNSET
    try:
        return _convert(payload["usage"], Usage | None, "payload.usage")
    except MalformedMessage:
        return None


def _open_envelope(text: str | bytes) -> tuple[Json, Json]:
    """Split a message into its header and its payload, an absent payload being empty."""
    try:
        envelope = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise RemoteProtocolError("Invalid payload data: the message is not JSON.") from exc
    if not _is_object(envelope):
        raise RemoteProtocolError("Invalid payload data: the message is not an object.")
    payload = envelope.get("payload")
    return _object(envelope, "header", "header"), payload if _is_object(payload) else {}


def _object(container: Json, name: str, path: str | None = None) -> Json:
    """Return the object at `name`, or raise the documented error."""
    value = container.get(name)
    path = path or f"payload.{name}"
    if value is None:
        raise RemoteProtocolError(_missing(path))
    if not _is_object(value):
        raise RemoteProtocolError(f"Invalid {path} {shown(value)}: expected an object.")
    return value


def _is_object(value: object) -> TypeGuard[Json]:
    return isinstance(value, dict)


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) for item in cast("list[object]", value)
    )


def _convert(value: object, kind: Any, path: str) -> Any:  # noqa: ANN401 - msgspec's own signature
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as exc:
        raise MalformedMessage(f"Invalid {path}: {exc}.") from exc


def _missing(path: str) -> str:
    """Return the service's own text for a missing member (spec 2.4)."""
    return f"Missing required parameter '{path}'! Please follow the protocol!"
