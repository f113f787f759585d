"""What the PocketSphinx engine and its worker processes say to each other, and how it is framed.

One request, one answer, in order, over a pair of pipes. A message is four bytes of length, big
endian, and MessagePack. Knows no recogniser and no process.
"""

from typing import BinaryIO, Final, TypeAlias

import msgspec

from hearline.speech import Word


class Load(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """Have the models ready; answered by `Heard` without words."""


class Feed(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """More of an utterance; answered by `Heard` or `Failed`.

    Attributes:
        utterance: Number of the utterance; one that is not known begins.
        pcm: Signed 16-bit little-endian samples, a whole number of them.
        last: Whether the utterance ends with them; it is forgotten when answered.
        forget: Numbers of utterances that nobody waits for any more.

    """

    utterance: int
    pcm: bytes
    last: bool
    forget: tuple[int, ...] = ()


class Alive(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """The answer is still being worked on."""


class Heard(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """The words of the utterance so far, or all of them after its last audio.

    Attributes:
        words: Sample indices count from the utterance's first sample.

    """

    words: tuple[Word, ...] = ()


class Failed(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """The recogniser could not do it; the utterance is forgotten, the worker goes on."""

    message: str


Request: TypeAlias = Load | Feed
Answer: TypeAlias = Alive | Heard | Failed

_LENGTH_BYTES: Final = 4
_encoder = msgspec.msgpack.Encoder()
_requests = msgspec.msgpack.Decoder[Request](Request)
_answers = msgspec.msgpack.Decoder[Answer](Answer)


def send(pipe: BinaryIO, message: Request | Answer) -> None:
    """Write one message and flush it.

    Raises:
        OSError: The other side is gone.

    """
    body = _encoder.encode(message)
    pipe.write(len(body).to_bytes(_LENGTH_BYTES, "big") + body)
    pipe.flush()


def receive_request(pipe: BinaryIO) -> Request:
    """Wait for the next request.

    Raises:
        EOFError: The other side is gone.

    """
    return _requests.decode(_receive(pipe))


def receive_answer(pipe: BinaryIO) -> Answer:
    """Wait for the next answer.

    Raises:
        EOFError: The other side is gone.

    """
    return _answers.decode(_receive(pipe))


def _receive(pipe: BinaryIO) -> bytes:
    """Read one frame; a file object's ``read(n)`` is short only at the end."""
    head = pipe.read(_LENGTH_BYTES)
    if len(head) == _LENGTH_BYTES:
        size = int.from_bytes(head, "big")
        body = pipe.read(size)
        if len(body) == size:
            return body
    raise EOFError
