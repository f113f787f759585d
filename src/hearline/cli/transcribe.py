"""`hearline transcribe`: the words of recordings on standard output."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from cyclopts.validators import Number

from hearline.cli.display import open_display
from hearline.cli.exits import Exit
from hearline.cli.formats import ONE_RECORDING, FormatName, open_writer
from hearline.cli.transcription import Transcription, open_destination
from hearline.errors import UsageError
from hearline.wire.parameters import PARAMETERS

_DEFAULT_MODEL: Final = "fun-asr-realtime"


def _within(name: str) -> Number:
    """Return a check that a value lies in the range that the wire declares for a parameter."""
    rule = next(parameter.rule for parameter in PARAMETERS if parameter.name == name)
    return Number(gte=rule.low, lte=rule.high)


def transcribe(
    *files: Annotated[Path, Parameter(name="FILE", required=True)],
    format: FormatName = "txt",  # noqa: A002 - the option's name
    server: Annotated[str | None, Parameter(env_var="HEARLINE_URL")] = None,
    api_key: str | None = None,
    model: str = _DEFAULT_MODEL,
    language: str | None = None,
    rate: Annotated[int | None, Parameter(validator=_within("sample_rate"))] = None,
    silence: Annotated[int | None, Parameter(validator=_within("max_sentence_silence"))] = None,
) -> Exit:
    """Write the words of recordings to standard output.

    Args:
        files: Recordings: wav, or headerless 16-bit mono pcm.
        format: How to write them. Captions (srt, vtt) are of one recording at a time.
        server: Recognise at this ws:// or wss:// address instead of in this process.
        api_key: Key of that server; better set HEARLINE_API_KEY, for process lists show options.
        model: Model to ask for.
        language: Code of the language that is spoken, such as en; unset, the engine decides.
        rate: Sample rate in Hz of headerless pcm; unset, .raw and .pcm files have 16000.
        silence: Milliseconds of silence that end a sentence; unset, the server decides.

    """
    several = len(files) > 1
    if several and format in ONE_RECORDING:
        raise UsageError(f"{format} holds the captions of one recording: name one FILE at a time.")
    parameters = {
        "model": model,
        "language_hints": None if language is None else [language],
        "max_sentence_silence": silence,
    }
    with ExitStack() as stack:
        transcription = Transcription(
            writer=open_writer(format, several=several),
            display=stack.enter_context(open_display()),
            find_destination=stack.enter_context(open_destination(server, api_key)),
            parameters=parameters,
        )
        stack.callback(transcription.close)
        return max(transcription.add(file, rate) for file in files)
