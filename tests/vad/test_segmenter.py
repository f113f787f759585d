"""Where utterances begin and end."""

from hypothesis import given
from hypothesis import strategies as st

from hearline.speech import SAMPLE_RATE, EndpointReason
from hearline.vad.detector import FRAME_SAMPLES
from hearline.vad.rules import SilenceRule
from hearline.vad.segmenter import Boundary, Segmenter, SpeechEnded, SpeechStarted

SILENCE = 10 * FRAME_SAMPLES


def boundaries(
    probabilities: list[float],
    *,
    silence: int = SILENCE,
    longest: int = 60 * SAMPLE_RATE,
    noise_threshold: float = 0.0,
) -> list[tuple[int, Boundary]]:
    """The boundaries, each with the number of frames it took."""
    rule = SilenceRule(((0, silence), (longest, silence), (longest, 0)))
    segmenter = Segmenter(rule, noise_threshold=noise_threshold)
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


def test_the_noise_threshold_moves_the_decision() -> None:
    def frames_of_speech(threshold: float, probability: float) -> bool:
        return bool(boundaries([probability] * 9, noise_threshold=threshold))

    assert [frames_of_speech(threshold, 0.3) for threshold in (-1.0, -0.5, 0.0, 1.0)] == [
        True,
        True,
        False,
        False,
    ]
    assert [frames_of_speech(threshold, 0.85) for threshold in (-1.0, 0.0, 0.8, 1.0)] == [
        True,
        True,
        True,
        False,
    ]


def test_speech_that_is_cut_and_goes_on_quietly_is_not_lost() -> None:
    found = boundaries([0.9] * 10 + [0.4] * 20, longest=frames(10))
    assert [boundary for _, boundary in found][2:4] == [
        SpeechStarted(frames(10)),
        SpeechEnded(frames(20), EndpointReason.LENGTH),
    ]


@given(st.lists(st.floats(0, 1), min_size=20, max_size=200), st.floats(-1, 1), st.floats(-1, 1))
def test_a_higher_noise_threshold_never_finds_speech_earlier(
    probabilities: list[float], one: float, other: float
) -> None:
    low, high = sorted((one, other))
    first = boundaries(probabilities, noise_threshold=low)
    second = boundaries(probabilities, noise_threshold=high)
    if second:
        assert first
        assert first[0][0] <= second[0][0]


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
