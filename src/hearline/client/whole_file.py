"""A file from its path to its result: fed by one thread, read by the caller's."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Final

from hearline.client.delivery import LOGGER
from hearline.client.results import Delays, RecognitionResult, error_result, final_result
from hearline.errors import HearlineError, InputDataRequired, InvalidState
from hearline.wire.client import Failed, Skipped
from hearline.wire.messages import ResultGenerated, TaskFinished, TaskStarted

if TYPE_CHECKING:
    from hearline.client.conversation import Conversation

_CHUNK_BYTES: Final = 12_800
"""What the official SDK sends at once from a file (spec 5.2)."""


def read_chunks(file: str) -> Iterator[bytes]:
    """Return the content of a file, piece by piece; the first piece is read at once.

    Raises:
        FileNotFoundError: There is no such file.
        IsADirectoryError: It is a directory.
        InputDataRequired: It is empty.

    """
    path = Path(file)
    if not path.exists():
        raise FileNotFoundError(f"No such file or directory: {file}")
    if path.is_dir():
        raise IsADirectoryError(f"Is a directory: {file}")
    chunks = _read(path)
    first = next(chunks, b"")
    if not first:
        raise InputDataRequired("The supplied file was empty (zero bytes long)")
    return _chain(first, chunks)


def recognise(
    conversation: "Conversation", chunks: Iterator[bytes], delays: Delays
) -> RecognitionResult:
    """Hold a conversation about the chunks and return its result (spec 5.2).

    Raises:
        OSError: Reading the file failed half-way.

    """
    try:
        conversation.open()
    except HearlineError as error:
        return error_result(error, conversation.task_id)
    feeder = _Feeder(conversation, chunks, delays)
    feeder.start()
    try:
        result = _collect(conversation, delays)
    finally:
        conversation.give_up(HearlineError("The caller left."))
        conversation.close()
        feeder.join()
    if feeder.error is not None:
        raise feeder.error
    return result


class _Feeder(Thread):
    """Sends the chunks, as fast as the server takes them, then says that this was all."""

    def __init__(
        self, conversation: "Conversation", chunks: Iterator[bytes], delays: Delays
    ) -> None:
        super().__init__(name="hearline-feeder", daemon=True)
        self._conversation = conversation
        self._chunks = chunks
        self._delays = delays
        self.error: OSError | None = None

    def run(self) -> None:
        """Send until the end of the file or of the task."""
        with suppress(InvalidState):
            try:
                for chunk in self._chunks:
                    self._delays.audio_sent()
                    self._conversation.send_audio(chunk)
            except OSError as error:
                self.error = error
            self._delays.stopped()
            self._conversation.finish()


def _collect(conversation: "Conversation", delays: Delays) -> RecognitionResult:
    finals: list[ResultGenerated] = []
    for event in conversation.events():
        match event:
            case TaskStarted():
                pass
            case ResultGenerated():
                delays.received(event)
                if event.sentence.sentence_end:
                    finals.append(event)
            case Skipped(reason):
                LOGGER.warning("A message of the server was skipped: %s", reason)
            case TaskFinished():
                delays.finished()
            case Failed(error):
                return error_result(error, conversation.task_id)
    return final_result(finals, conversation.task_id)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
