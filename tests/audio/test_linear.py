"""PCM and WAV, however they are declared and however they are cut."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit import tone

from hearline.audio.decoder import open_decoder
from hearline.errors import AudioError
from hearline.speech import Samples


def decode(data: bytes, declared: str = "wav", rate: int = 16000, cuts: object = None) -> Samples:
    """Decode bytes that are cut as told: a size, a list of sizes, or not at all."""
    decoder = open_decoder(declared, rate)
    parts: list[Samples] = []
    start = 0
    sizes = iter(cuts) if isinstance(cuts, list) else None
    while start < len(data):
        size = next(sizes, len(data)) if sizes else (cuts or len(data))
        parts.append(decoder.feed(data[start : start + size]))
        start += size
    parts.append(decoder.finish())
    return np.concatenate(parts)


def wav(
    raw: bytes,
    *,
    rate: int = 16000,
    channels: int = 1,
    bits: int = 16,
    tag: int = 1,
    size: int | None = None,
    before: bytes = b"",
    extra: bytes = b"",
) -> bytes:
    """A WAV file of raw frames."""
    align = channels * bits // 8
    layout = struct.pack("<HHIIHH", tag, channels, rate, rate * align, align, bits) + extra
    chunk = b"fmt " + struct.pack("<I", len(layout)) + layout
    data = b"data" + struct.pack("<I", len(raw) if size is None else size) + raw
    body = b"WAVE" + before + chunk + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


RAMP = np.linspace(-0.9, 0.9, 1000).astype(np.float32)
RAMP_PCM = (RAMP * 32768).astype("<i2").tobytes()
WHOLE = np.frombuffer(RAMP_PCM, "<i2").astype(np.float32) / 32768


@pytest.mark.parametrize("declared", ["pcm", "wav"])
@pytest.mark.parametrize("container", [False, True])
def test_the_bytes_tell_whether_there_is_a_container(declared: str, container: bool) -> None:
    data = wav(RAMP_PCM) if container else RAMP_PCM
    np.testing.assert_array_equal(decode(data, declared), WHOLE)


@pytest.mark.parametrize(
    ("tag", "bits", "raw", "tolerance"),
    [
        (1, 8, ((RAMP * 128) + 128).astype("u1").tobytes(), 1 / 100),
        (1, 16, RAMP_PCM, 1e-4),
        (
            1,
            24,
            b"".join(int(x * 2**23).to_bytes(3, "little", signed=True) for x in RAMP),
            1e-6,
        ),
        (1, 32, (RAMP.astype(np.float64) * 2**31).astype("<i4").tobytes(), 1e-6),
        (3, 32, RAMP.astype("<f4").tobytes(), 0),
        (3, 64, RAMP.astype("<f8").tobytes(), 1e-7),
    ],
)
def test_every_linear_layout_is_read(tag: int, bits: int, raw: bytes, tolerance: float) -> None:
    decoded = decode(wav(raw, tag=tag, bits=bits))
    np.testing.assert_allclose(decoded, RAMP, atol=tolerance)


def test_channels_are_mixed_by_their_mean() -> None:
    stereo = np.stack([RAMP, -RAMP / 2], axis=1)
    raw = (stereo * 32767).astype("<i2").tobytes()
    np.testing.assert_allclose(decode(wav(raw, channels=2)), RAMP / 4, atol=1e-4)


def test_extensible_headers_are_read() -> None:
    subtype = bytes.fromhex("0100000000001000800000aa00389b71")
    extra = struct.pack("<HHI", 22, 16, 4) + subtype
    np.testing.assert_array_equal(decode(wav(RAMP_PCM, tag=0xFFFE, extra=extra)), WHOLE)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_length_that_was_not_known_means_to_the_end(size: int) -> None:
    np.testing.assert_array_equal(decode(wav(RAMP_PCM, size=size)), WHOLE)


def test_chunks_around_the_audio_are_no_audio() -> None:
    note = b"LIST" + struct.pack("<I", 5) + b"notes\0"
    data = wav(RAMP_PCM, before=note) + note
    np.testing.assert_array_equal(decode(data), WHOLE)
    np.testing.assert_array_equal(decode(data, cuts=1), WHOLE)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
@pytest.mark.parametrize("declared", ["pcm", "wav"])
def test_other_rates_are_resampled(rate: int, declared: str) -> None:
    source = (tone(0.5, 300, rate) * 32767).astype("<i2").tobytes()
    data = source if declared == "pcm" else wav(source, rate=rate)
    decoded = decode(data, declared, rate if declared == "pcm" else 16000)
    expected = tone(0.5, 300)
    assert abs(decoded.size - expected.size) <= 2
    middle = slice(1000, 7000)
    np.testing.assert_allclose(decoded[middle], expected[middle], atol=0.01)


FILES = {
    "pcm": RAMP_PCM,
    "odd": RAMP_PCM[:-1],
    "wav": wav(RAMP_PCM, before=b"LIST" + struct.pack("<I", 4) + b"abcd"),
    "wav 44.1 kHz stereo": wav(RAMP_PCM, rate=44100, channels=2),
    "short": b"ab",
}


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 300), min_size=1))
def test_the_samples_do_not_depend_on_the_cuts(name: str, sizes: list[int]) -> None:
    whole = decode(FILES[name])
    np.testing.assert_array_equal(decode(FILES[name], cuts=sizes), whole)
    np.testing.assert_array_equal(decode(FILES[name], cuts=1), whole)


def test_no_bytes_are_no_samples() -> None:
    assert decode(b"").size == 0


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        (b"OggS" + bytes(40), "Ogg"),
        (b"fLaC" + bytes(40), "FLAC"),
        (b"ID3\4" + bytes(40), "MP3"),
        (b"#!AMR\n" + bytes(40), "AMR"),
        (bytes(4) + b"ftypM4A " + bytes(40), "MP4"),
        (b"RIFF" + bytes(4) + b"AVI " + bytes(40), "not a WAV"),
        (wav(RAMP_PCM, tag=85), "format tag 85"),
        (wav(RAMP_PCM, bits=12), "12 bits"),
        (wav(RAMP_PCM, channels=0), "0 channels"),
        (wav(RAMP_PCM, channels=255), "255 channels"),
        (wav(RAMP_PCM, rate=4_000_000_000 // 2), "Hz"),
        (wav(RAMP_PCM)[:12] + wav(RAMP_PCM)[36:], "before its format"),
        (wav(RAMP_PCM)[:30], "incomplete"),
        (wav(b"", before=b"LIST" + struct.pack("<I", 2**31) + bytes(40)), "before the audio"),
        (b"RIFF" + bytes(4) + b"WAVEfmt " + struct.pack("<I", 2**31) + bytes(9000), "format chunk"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("cuts", [None, 1])
def test_what_is_no_pcm_is_refused_with_what_was_seen(data: bytes, seen: str, cuts: object) -> None:
    with pytest.raises(AudioError, match=seen):
        decode(data, cuts=cuts)


def test_floats_that_are_no_numbers_are_silence() -> None:
    raw = np.array([np.nan, np.inf, -np.inf, 0.5], "<f4").tobytes()
    np.testing.assert_array_equal(decode(wav(raw, tag=3, bits=32)), [0, 1, -1, 0.5])


def test_a_format_that_cannot_be_decoded_is_named() -> None:
    with pytest.raises(AudioError, match="'mp3'"):
        open_decoder("mp3", 16000)


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=200), at=st.integers(0, 60))
def test_any_bytes_give_samples_or_an_error_of_ours(data: bytes, at: int) -> None:
    for candidate in (data, wav(RAMP_PCM)[:at] + data):
        try:
            samples = decode(candidate)
        except AudioError:
            continue
        assert np.isfinite(samples).all()
        assert np.abs(samples).max(initial=0) <= 1.01
