"""A microphone for tests: some packets of silence, then Ctrl-C is pressed."""

import os
import signal

paInt16 = 8  # noqa: N816 - the real module's name
PACKETS = 5
opened: list["Stream"] = []


class Stream:
    def __init__(self) -> None:
        self.left = PACKETS
        self.active = True
        opened.append(self)

    def read(self, frames: int, exception_on_overflow: bool = True) -> bytes:  # noqa: ARG002, FBT002
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGINT)
        self.left -= 1
        return bytes(2 * frames)

    def stop_stream(self) -> None:
        self.active = False

    def close(self) -> None:
        opened.remove(self)


class PyAudio:
    def open(self, **options: object) -> Stream:
        expected = {"format": paInt16, "channels": 1, "rate": 16000, "input": True}
        assert options == expected
        return Stream()

    def terminate(self) -> None:
        pass
