"""`Recognition`: the callback API that DashScope's users know, without its defects (spec 5)."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Final, Self

from hearline.client.delivery import Delivery
from hearline.client.endpoint import Access, Endpoint, from_environment, locate
from hearline.client.request import audio_bytes, build_request, check_required, new_task_id
from hearline.client.results import Delays, RecognitionCallback, RecognitionResult
from hearline.client.whole_file import read_chunks, recognise
from hearline.errors import (
    HearlineError,
    InputRequired,
    InvalidParameter,
    InvalidState,
    TransportTimeout,
)
from hearline.wire.client import Deadlines
from hearline.wire.messages import Json

if TYPE_CHECKING:
    from hearline.client.conversation import Conversation

_FILE_PROGRESS_S: Final = 60.0
"""Patience in `call`: the server works through a backlog that may hold minutes of silence."""


class Recognition:
    """Real-time speech recognition by callbacks, or of a whole file.

    One object serves one task at a time; it can be used again once that has ended.

    Args:
        model: The model to use.
        callback: Whom to call; not needed for `call`.
        format: How the audio is encoded: pcm, wav, mp3, opus, speex, aac or amr.
        sample_rate: Samples per second, in Hz.
        workspace: The workspace to work in.
        **options: Parameters of the task (`docs/parameters.md`), and settings of the connection:
            ``api_key``, ``base_address``, ``headers``, ``deadlines`` (`Deadlines`),
            ``request_timeout`` (seconds to connect), ``raw_input`` (context). None counts as unset.

    Raises:
        ModelRequired: No model is named.
        InputRequired: The format or the sample rate is missing.

    """

    SILENCE_TIMEOUT_S: ClassVar[float] = 23
    """The task is finished when nothing has been sent for so long, in seconds."""

    def __init__(
        self,
        model: str,
        callback: RecognitionCallback | None = None,
        format: str | None = None,  # noqa: A002 - the documented name
        sample_rate: int | None = None,
        workspace: str | None = None,
        **options: object,
    ) -> None:
        check_required(model, format, sample_rate)
        self._model = model
        self._callback = callback
        self._options: dict[str, object] = {
            "format": format,
            "sample_rate": sample_rate,
            "workspace": workspace,
            **options,
        }
        self._request_id = new_task_id()
        self._guard = threading.Lock()
        """Held while a task begins, so that of several callers one succeeds."""
        self._conversation: Conversation | None = None
        self._delivery: Delivery | None = None
        self._last_result: RecognitionResult | None = None
        self._delays = Delays()

    def start(self, phrase_id: str | None = None, **options: object) -> None:
        """Start a task: connect, call `on_open`, return; the rest goes to the callback.

        A server that cannot be reached or refuses is reported to `on_error` and `on_close`.

        Args:
            phrase_id: A phrase list of the first generation.
            **options: As for the class, and over those given there; for this task only.

        Raises:
            InputRequired: There is no callback.
            AuthenticationError: There is no key; nothing has been started.
            InvalidState: A task is running.

        """
        if self._callback is None:
            raise InputRequired("Please set the callback to get the speech recognition result.")
        with self._guard:
            conversation = self._begin(
                phrase_id, options, "Speech recognition has started.", Deadlines().progress_s
            )
            delivery = self._delivery = Delivery(conversation, self._callback, self._delays)
        delivery.start()

    def send_audio_frame(self, buffer: bytes | bytearray | memoryview) -> None:
        """Send audio, best about 100 ms at a time; waits while too much is on its way.

        Args:
            buffer: The audio; it may be used again as soon as this returns.

        Raises:
            TypeError: The buffer is none.
            InvalidState: No task is running.

        """
        data = audio_bytes(buffer)
        conversation = self._running()
        self._delays.audio_sent()
        conversation.send_audio(data)

    def update_context(self, payload_input: Json) -> None:
        """Send context for the audio that follows (spec 3.3).

        Raises:
            InvalidParameter: There is none.
            InvalidState: No task is running.

        """
        if payload_input is None:  # pyright: ignore[reportUnnecessaryComparison] - callers may
            raise InvalidParameter("Context is required.")
        self._running().update_context(payload_input)

    def stop(self, timeout: float | None = None) -> None:
        """Say that no more audio will come, and wait until all results have been delivered.

        A server that makes no progress ends the wait by `on_error`. Inside a callback this returns
        at once, and the rest follows later; so it does in a signal handler that interrupts another
        call of this object.

        Args:
            timeout: How long to wait, in seconds; then the task ends in `on_error`.

        Raises:
            InvalidState: No task is running.
            TransportTimeout: The time is over.

        """
        delivery = self._delivery
        if delivery is not None and delivery.is_inside:
            with suppress(InvalidState):
                self._finish()
            return
        self._finish()
        if delivery is None or delivery.wait(timeout):
            return
        error = TransportTimeout(f"The task did not end within {timeout:g} seconds.")
        delivery.give_up(error)
        raise error

    def call(self, file: str, phrase_id: str | None = None, **options: object) -> RecognitionResult:
        """Recognise a file and return the result when it is complete.

        Args:
            file: Path of the file.
            phrase_id: A phrase list of the first generation.
            **options: As for the class, and over those given there; for this task only.

        Returns:
            The final sentences, or the error that ended the task or kept it from starting.

        Raises:
            FileNotFoundError: There is no such file.
            IsADirectoryError: It is a directory.
            InputDataRequired: It is empty.
            AuthenticationError: There is no key.
            InvalidState: A task is running.

        """
        chunks = read_chunks(file)
        with self._guard:
            conversation = self._begin(
                phrase_id, options, "Speech recognition has been called.", _FILE_PROGRESS_S
            )
            self._delivery = None
        self._last_result = recognise(conversation, chunks, self._delays)
        return self._last_result

    def get_last_request_id(self) -> str:
        """Return the id of the last task, before the first one the id that it will have."""
        return self._request_id

    def get_first_package_delay(self) -> float | None:
        """Return the time from the first packet sent to the first text received.

        Returns:
            Milliseconds, or None if that has not happened.

        """
        return self._delays.first_package_ms

    def get_last_package_delay(self) -> float | None:
        """Return the time from `stop` to the end of the task.

        Returns:
            Milliseconds, or None if that has not happened.

        """
        return self._delays.last_package_ms

    def get_response(self) -> RecognitionResult | None:
        """Return the last result, which is the error if there was one; None before the first."""
        return self._last_result if self._delivery is None else self._delivery.last_result

    def __enter__(self) -> Self:
        """Start a task."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the task; after an exception, end it without waiting for its results."""
        if self._delivery is None:
            return
        if kind is None:
            with suppress(InvalidState):
                self.stop()
        else:
            self._delivery.give_up(HearlineError("The session was left by an exception."))

    def _locate(self, access: Access) -> Endpoint:
        """Return where to connect; the ``dashscope`` distribution asks its module's globals."""
        return locate(access, from_environment())

    def _begin(
        self,
        phrase_id: str | None,
        options: Mapping[str, object],
        refusal: str,
        progress_s: float,
    ) -> "Conversation":
        """Return a conversation about a new task, not yet connected.

        Raises:
            InvalidState: A task is running; `refusal` says it.

        """
        # Costs more than all the rest of the import, and who only reads results does not need it.
        from hearline.client.conversation import Conversation  # noqa: PLC0415

        if self._conversation is not None:
            if not self._conversation.ended:
                raise InvalidState(refusal)
            self._request_id = new_task_id()
        request = build_request(
            self._model,
            self._options | dict(options),
            task_id=self._request_id,
            phrase_id=phrase_id,
            deadlines=Deadlines(silence_s=self.SILENCE_TIMEOUT_S, progress_s=progress_s),
        )
        endpoint = self._locate(request.access)
        self._conversation = Conversation(request.task, endpoint, request.deadlines)
        self._delays = Delays()
        return self._conversation

    def _finish(self) -> None:
        conversation = self._running()
        self._delays.stopped()
        conversation.finish()

    def _running(self) -> "Conversation":
        if self._conversation is None:
            raise InvalidState("Speech recognition has stopped.")
        return self._conversation
