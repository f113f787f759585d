"""What `hearline transcribe` can write: plain text, JSON, JSON Lines, SubRip and WebVTT.

A writer returns text and leaves the writing to others; it never holds more than one recording.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

from hearline.cli.captions import Cue, to_cues, to_srt, to_vtt
from hearline.wire.messages import Sentence

FormatName: TypeAlias = Literal["txt", "json", "jsonl", "srt", "vtt"]

ONE_RECORDING: Final[frozenset[FormatName]] = frozenset({"srt", "vtt"})
"""Formats whose times belong to one recording, so that they cannot hold several."""

_MEMBERS: Final = ("sentence_id", "begin_time", "end_time", "text", "words")
"""What JSON says about a sentence; the rest of the wire's record is about its delivery."""


class Writer:
    """Turns recordings, one after the other, into the text of a format.

    Every method returns what is to be written now, here nothing.
    """

    def begin(self, name: str) -> str:  # noqa: ARG002
        """Begin a recording of that name."""
        return ""

    def sentence(self, sentence: Sentence) -> str:  # noqa: ARG002
        """Add a final sentence."""
        return ""

    def end(self, duration_ms: int | None) -> str:  # noqa: ARG002
        """End a recording that was recognised to its end.

        Args:
            duration_ms: Its length, where it is known.

        """
        return ""

    def close(self) -> str:
        """End the whole."""
        return ""


class TextWriter(Writer):
    """A sentence a line; of several recordings, each under its name as `tail` writes it."""

    def __init__(self, *, several: bool) -> None:
        self._several = several
        self._gap = ""

    def begin(self, name: str) -> str:
        """Write the heading, where one is needed."""
        if not self._several:
            return ""
        heading = f"{self._gap}==> {name} <==\n"
        self._gap = "\n"
        return heading

    def sentence(self, sentence: Sentence) -> str:
        """Write the line of a sentence."""
        return f"{sentence.text.strip()}\n"


class JsonWriter(Writer):
    """An object for one recording, a list of such objects for several."""

    def __init__(self, *, several: bool) -> None:
        self._several = several
        self._written = 0
        self._name = ""
        self._sentences: list[Sentence] = []

    def begin(self, name: str) -> str:
        """Begin to collect: an object is written when it is whole."""
        self._name = name
        self._sentences.clear()
        return ""

    def sentence(self, sentence: Sentence) -> str:
        """Keep the sentence for the end."""
        self._sentences.append(sentence)
        return ""

    def end(self, duration_ms: int | None) -> str:
        """Write the recording's object."""
        recording = {
            "file": self._name,
            "duration_ms": duration_ms,
            "text": "\n".join(sentence.text.strip() for sentence in self._sentences),
            "sentences": [_members(sentence) for sentence in self._sentences],
        }
        text = msgspec.json.format(msgspec.json.encode(recording), indent=2).decode()
        if not self._several:
            return f"{text}\n"
        self._written += 1
        return f"[\n{text}" if self._written == 1 else f",\n{text}"

    def close(self) -> str:
        """End the list, where there is one."""
        if not self._several:
            return ""
        return "\n]\n" if self._written else "[]\n"


class JsonLinesWriter(Writer):
    """An object a sentence, each on a line of its own, as soon as it is final."""

    def __init__(self) -> None:
        self._name = ""

    def begin(self, name: str) -> str:
        """Remember whose sentences follow."""
        self._name = name
        return ""

    def sentence(self, sentence: Sentence) -> str:
        """Write the line of a sentence."""
        return msgspec.json.encode({"file": self._name, **_members(sentence)}).decode() + "\n"


class CaptionWriter(Writer):
    """The cues of one recording."""

    def __init__(self, head: str, to_text: Callable[[Cue, int], str]) -> None:
        """Begin a file.

        Args:
            head: What stands before the first cue.
            to_text: Returns the text of a cue, given its number from 1.

        """
        self._head = head
        self._to_text = to_text
        self._number = 0
        self._after_ms = 0

    def begin(self, name: str) -> str:  # noqa: ARG002 - captions do not name what they caption
        """Write the head."""
        return self._head

    def sentence(self, sentence: Sentence) -> str:
        """Write the cues of a sentence."""
        parts: list[str] = []
        for cue in to_cues(sentence, after_ms=self._after_ms):
            self._number += 1
            self._after_ms = cue.end_ms
            parts.append(self._to_text(cue, self._number))
        return "".join(parts)


def open_writer(name: FormatName, *, several: bool) -> Writer:
    """Return the writer of a format.

    Args:
        name: Which format.
        several: Whether more than one recording was asked for.

    """
    match name:
        case "txt":
            return TextWriter(several=several)
        case "json":
            return JsonWriter(several=several)
        case "jsonl":
            return JsonLinesWriter()
        case "srt":
            return CaptionWriter("", to_srt)
        case "vtt":
            return CaptionWriter("WEBVTT\n\n", lambda cue, _: to_vtt(cue))


def _members(sentence: Sentence) -> Mapping[str, Any]:
    members = msgspec.to_builtins(sentence)
    return {name: members[name] for name in _MEMBERS if name in members}
