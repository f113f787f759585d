"""Where utterances begin and end."""

from hypothesis import given
from hypothesis import strategies as st

from hearline.speech import EndpointReason
from hearline.vad.detector import FRAME_SAMPLES
from hearline.vad.segmenter import Boundary, Segmenter, SpeechEnded, SpeechStarted

SILENCE = 10 * FRAME_SAMPLES


def boundaries(probabilities: list[float], **options: int) -> list[tuple[int, Boundary]]:
    """The boundaries, each with the number of frames it took."""
    segmenter = Segmenter(**{"silence": SILENCE, **options})
    found = [
        (count, boundary)
        for count, probability in enumerate(probabilities, 1)
        if (boundary := segmenter.feed(probability)) is not None
    ]
    end = segmenter.finish()
    return found if end is None else [*found, (len(probabilities), end)]


def frames(count: int) -> int:
    return count * FRAME_SAMPLES


def test_speech_begins_with_its_first_frame() -> None:
    assert boundaries([0.1] * 3 + [0.9] * 2)[0] == (5, SpeechStarted(frames(3)))


def test_a_click_is_no_speech() -> None:
    assert boundaries([0.0, 0.9, 0.0, 0.9, 0.0] * 10) == []


def test_an_utterance_ends_when_the_silence_is_full_and_its_end_is_the_speechs() -> None:
    found = boundaries([0.9] * 5 + [0.0] * 20)
    assert found[1:] == [(15, SpeechEnded(frames(5), EndpointReason.SILENCE))]


def test_speech_that_goes_on_in_time_is_one_utterance() -> None:
    found = boundaries(([0.9] * 5 + [0.0] * 9) * 4)
    assert [type(boundary) for _, boundary in found] == [SpeechStarted, SpeechEnded]
    assert found[1][1] == SpeechEnded(frames(47), EndpointReason.CLIENT)


def test_within_speech_less_is_enough() -> None:
    found = boundaries([0.9] * 5 + [0.4] * 30)
    assert found[-1][1] == SpeechEnded(frames(35), EndpointReason.CLIENT)


def test_speech_that_never_ends_is_cut() -> None:
    found = boundaries([0.9] * 25, longest=frames(10))
    assert [boundary for _, boundary in found] == [
        SpeechStarted(0),
        SpeechEnded(frames(10), EndpointReason.LENGTH),
        SpeechStarted(frames(10)),
        SpeechEnded(frames(20), EndpointReason.LENGTH),
        SpeechStarted(frames(20)),
        SpeechEnded(frames(25), EndpointReason.CLIENT),
    ]


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 40)), max_size=30),
    st.integers(1, 100),
    st.integers(2, 200),
)
def test_boundaries_alternate_and_never_overlap(
    runs: list[tuple[float, int]], silence: int, longest: int
) -> None:
    probabilities = [probability for probability, count in runs for _ in range(count)]
    found = boundaries(probabilities, silence=frames(silence), longest=frames(longest))
    last = 0
    for place, (count, boundary) in enumerate(found):
        assert isinstance(boundary, SpeechStarted if place % 2 == 0 else SpeechEnded)
        at = boundary.begin if isinstance(boundary, SpeechStarted) else boundary.end
        assert last <= at <= frames(count)
        last = at
    assert len(found) % 2 == 0
