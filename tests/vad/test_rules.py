"""How much silence ends an utterance, by mode and by length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearline.speech import SAMPLE_RATE
from hearline.vad.rules import SilenceRule


def needed_s(rule: SilenceRule, length_s: float) -> float:
    return rule.needed(round(length_s * SAMPLE_RATE)) / SAMPLE_RATE


@pytest.mark.parametrize("silence_s", [0.2, 0.8, 1.3, 6.0])
def test_the_silence_asked_for_counts_at_any_usual_length(silence_s: float) -> None:
    rule = SilenceRule.constant(silence_s)
    for length_s in (0, 0.1, 5, 30, 49.9):
        assert needed_s(rule, length_s) == pytest.approx(silence_s)


@pytest.mark.parametrize(
    "rule", [SilenceRule.constant(1.3), SilenceRule.shrinking(1.3), SilenceRule.semantic()]
)
def test_the_longest_utterance_needs_none(rule: SilenceRule) -> None:
    assert needed_s(rule, 60) == 0
    assert needed_s(rule, 55) == pytest.approx(needed_s(rule, 50) / 2, abs=1e-3)
    assert rule.needed(10**9) == 0


def test_the_multi_threshold_curve() -> None:
    rule = SilenceRule.shrinking(1.3)
    curve = {0: 1.3, 5: 1.3, 17.5: 0.75, 30: 0.2, 49: 0.2}
    for length_s, silence_s in curve.items():
        assert needed_s(rule, length_s) == pytest.approx(silence_s, abs=1e-3)


def test_a_sentence_is_complete_after_two_seconds_and_a_pause() -> None:
    rule = SilenceRule.semantic()
    assert needed_s(rule, 1.99) == 2.0
    assert needed_s(rule, 2.0) == 0.8


@given(st.floats(0.2, 6.0), st.integers(0, 70 * SAMPLE_RATE), st.integers(0, 70 * SAMPLE_RATE))
def test_a_longer_utterance_never_needs_more_silence(
    silence_s: float, one: int, other: int
) -> None:
    shorter, longer = sorted((one, other))
    for rule in (
        SilenceRule.constant(silence_s),
        SilenceRule.shrinking(silence_s),
        SilenceRule.semantic(),
    ):
        assert rule.needed(shorter) >= rule.needed(longer) >= 0
