"""The contract of a decoder, and which one a declared format gets."""

from typing import Protocol

from hearline.errors import AudioError
from hearline.speech import Samples


class Decoder(Protocol):
    """Turns the bytes of one stream into samples, as they arrive.

    The samples do not depend on how the bytes are cut. After an error it is not used again.
    """

    def feed(self, data: bytes) -> Samples:
        """Take the next bytes.

        Returns:
            What they complete, shape ``(n,)``, possibly empty.

        Raises:
            AudioError: The bytes are not what was declared.

        """
        ...

    def finish(self) -> Samples:
        """Declare the end and return the samples that were still held back.

        Raises:
            AudioError: What was declared never came.

        """
        ...


def open_decoder(declared: str, sample_rate: int) -> Decoder:
    """Return a decoder for a declared format.

    Args:
        declared: One of the formats of `hearline.wire.parameters.AudioFormat`.
        sample_rate: The declared rate in Hz; a container's own rate overrules it.

    Raises:
        AudioError: The format cannot be decoded here.

    """
    from hearline.audio.linear import LinearDecoder  # noqa: PLC0415 - PyAV only when audio comes

    if declared in ("pcm", "wav"):
        return LinearDecoder(declared, sample_rate)
    raise AudioError(f"Format {declared!r} cannot be decoded yet: send pcm or wav.")
