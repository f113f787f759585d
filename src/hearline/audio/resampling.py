"""Resampling to 16 kHz, stateful, so that the result does not depend on how audio is cut."""

from typing import Final

import numpy as np
from av import AudioFrame
from av.filter import Graph

from hearline.speech import SAMPLE_RATE, Samples

_FILTER: Final = {
    "sample_rate": str(SAMPLE_RATE),
    "filter_size": "64",
    "phase_shift": "10",
    "filter_type": "kaiser",
    "kaiser_beta": "9",
    "cutoff": "0.94",
}
"""A Kaiser window of 64 taps: 2 ms of delay at 48 kHz, aliases under -100 dB."""

_EMPTY: Final[Samples] = np.zeros(0, np.float32)


class Resampler:
    """Converts mono audio of one rate to 16 kHz by libswresample.

    A filter graph of its own, because ``av.AudioResampler`` starts a thread per core and stream.
    """

    def __init__(self, sample_rate: int) -> None:
        """Prepare for a stream.

        Args:
            sample_rate: Rate in Hz of what will be fed.

        """
        self._rate = sample_rate
        self._fed = 0
        self._passes_through = sample_rate == SAMPLE_RATE
        if not self._passes_through:
            self._open_graph()

    def feed(self, samples: Samples) -> Samples:
        """Take audio at the source's rate and return what is ready at 16 kHz.

        Args:
            samples: Shape ``(n,)``.

        Returns:
            Shape ``(m,)``, possibly empty.

        """
        if self._passes_through or not samples.size:
            return samples
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate = self._rate
        frame.pts = self._fed
        self._fed += samples.size
        self._source.push(frame)
        return self._pull()

    def finish(self) -> Samples:
        """Declare the end and return what the filter still held, shape ``(m,)``."""
        if self._passes_through or not self._fed:
            return _EMPTY
        self._source.push(None)
        return self._pull()

    def _open_graph(self) -> None:
        graph = Graph()
        graph.threads = 1  # before the first filter, or each graph starts a thread per core
        source = graph.add(
            "abuffer",
            sample_rate=str(self._rate),
            sample_fmt="flt",
            channel_layout="mono",
            time_base=f"1/{self._rate}",
        )
        resample = graph.add("aresample", **_FILTER)
        shape = graph.add(
            "aformat",
            sample_rates=str(SAMPLE_RATE),
            sample_fmts="flt",
            channel_layouts="mono",
        )
        sink = graph.add("abuffersink")
        source.link_to(resample)
        resample.link_to(shape)
        shape.link_to(sink)
        graph.configure()
        self._graph, self._source, self._sink = graph, source, sink

    def _pull(self) -> Samples:
        parts: list[Samples] = []
        while True:
            try:
                frame = self._sink.pull()
            except (BlockingIOError, EOFError):
                return np.concatenate(parts) if parts else _EMPTY
            assert isinstance(frame, AudioFrame)  # noqa: S101 - the graph carries audio only
            parts.append(frame.to_ndarray().reshape(-1).astype(np.float32))
