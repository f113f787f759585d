"""Both neural detectors on real speech."""

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from hearline.errors import ConfigurationError
from hearline.speech import Samples
from hearline.vad.choice import MODEL_FILE, open_detector
from hearline.vad.detector import FRAME_SAMPLES, Detector
from hearline.vad.pysilero import PySilero
from hearline.vad.silero_onnx import SileroOnnx


def read(path: Path) -> Samples:
    with av.open(str(path)) as container:
        parts = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    return np.concatenate(parts).astype(np.float32) / 32768


def judge(detector: Detector, *clips: Samples) -> list[list[float]]:
    """The probabilities of several clips, judged together frame by frame."""
    states = [detector.open() for _ in clips]
    count = min(clip.size for clip in clips) // FRAME_SAMPLES
    verdicts: list[Sequence[float]] = []
    for number in range(count):
        span = slice(number * FRAME_SAMPLES, (number + 1) * FRAME_SAMPLES)
        verdicts.append(detector.probabilities(states, np.stack([clip[span] for clip in clips])))
    return [list(column) for column in zip(*verdicts, strict=True)]


@pytest.fixture(params=["pysilero", "onnx"])
def detector(request: pytest.FixtureRequest) -> Detector:
    if request.param == "pysilero":
        return PySilero()
    return SileroOnnx(request.getfixturevalue("shared") / "models" / MODEL_FILE)


def test_speech_is_told_from_noise(detector: Detector, speech: Path) -> None:
    voice = read(speech / "en" / "jfk.wav")
    noise = read(speech / "noise" / "speechbrain_noise1.wav")[: voice.size]
    hiss = np.random.default_rng(1).normal(0, 0.05, voice.size).astype(np.float32)
    of_voice, of_noise, of_hiss = judge(detector, voice, noise, hiss)
    assert np.mean(np.array(of_voice) > 0.5) > 0.6
    assert np.mean(np.array(of_noise) > 0.5) < 0.3
    assert np.mean(np.array(of_hiss) > 0.5) == 0


def test_sessions_do_not_disturb_each_other(detector: Detector, speech: Path) -> None:
    one = read(speech / "en" / "jfk.wav")[:48000]
    other = read(speech / "en" / "two_cities_16k.wav")[:48000]
    together = judge(detector, one, other, one)
    alone = judge(detector, one)
    np.testing.assert_allclose(together[0], alone[0], atol=1e-4)
    np.testing.assert_allclose(together[2], alone[0], atol=1e-4)


def test_both_detectors_agree(shared: Path, speech: Path) -> None:
    clip = read(speech / "en" / "jfk.wav")
    (wheel,) = judge(PySilero(), clip)
    (model,) = judge(SileroOnnx(shared / "models" / MODEL_FILE), clip)
    assert np.mean((np.array(wheel) > 0.5) == (np.array(model) > 0.5)) > 0.95


def test_the_model_file_is_used_where_it_is(shared: Path, tmp_path: Path) -> None:
    assert isinstance(open_detector(shared / "models"), SileroOnnx)
    assert isinstance(open_detector(tmp_path), PySilero)


def test_a_broken_model_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / MODEL_FILE
    path.parent.mkdir()
    path.write_bytes(b"no model")
    with pytest.raises(ConfigurationError, match=path.name):
        open_detector(tmp_path)
