import os
import threading
import wave
from pathlib import Path

import pytest

from hearline.cli.recordings import open_recording
from hearline.errors import AudioError


def write_wav(path: Path, *, seconds: float = 1.0, rate: int = 16_000, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(round(seconds * rate) * 2 * channels))
    return path


def refusal(path: Path, rate: int | None = None) -> str:
    with pytest.raises(AudioError) as caught, open_recording(path, rate):
        pass
    return caught.value.message


def test_a_wav_file_is_known_by_its_content_not_its_name(tmp_path: Path):
    path = write_wav(tmp_path / "speech.raw", seconds=1.5, rate=44_100, channels=2)
    with open_recording(path, None) as recording:
        assert (recording.format, recording.sample_rate) == ("wav", 44_100)
        assert recording.duration_ms == 1500


@pytest.mark.parametrize(("rate", "declared"), [(4_000, 8_000), (192_000, 96_000)])
def test_a_wav_rate_that_cannot_be_declared_is_left_to_the_header(
    tmp_path: Path, rate: int, declared: int
):
    with open_recording(write_wav(tmp_path / "a.wav", rate=rate), None) as recording:
        assert (recording.sample_rate, recording.duration_ms) == (declared, 1000)


def test_a_file_is_read_whole_and_in_pieces(tmp_path: Path):
    path = write_wav(tmp_path / "a.wav", seconds=10)
    with open_recording(path, None) as recording:
        pieces = list(iter(recording.read, b""))
    assert b"".join(pieces) == path.read_bytes()
    assert max(map(len, pieces)) <= 64 * 1024


def test_a_header_may_be_longer_than_a_piece(tmp_path: Path):
    path = write_wav(tmp_path / "a.wav")
    data = path.read_bytes()
    junk = b"JUNK" + (100_000).to_bytes(4, "little") + bytes(100_000)
    path.write_bytes(data[:12] + junk + data[12:])
    with open_recording(path, None) as recording:
        assert recording.duration_ms == 1000
        assert b"".join(iter(recording.read, b"")) == path.read_bytes()


def test_a_wav_file_that_was_cut_off_is_as_long_as_what_is_left(tmp_path: Path):
    path = write_wav(tmp_path / "a.wav", seconds=2)
    path.write_bytes(path.read_bytes()[: 44 + 32_000])
    with open_recording(path, None) as recording:
        assert recording.duration_ms == 1000


@pytest.mark.parametrize("suffix", [".raw", ".pcm", ".PCM"])
def test_headerless_files_are_known_by_their_name(tmp_path: Path, suffix: str):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(bytes(32_000))
    with open_recording(path, None) as recording:
        assert (recording.format, recording.sample_rate) == ("pcm", 16_000)
        assert recording.duration_ms == 1000


def test_headerless_files_of_any_name_need_a_rate(tmp_path: Path):
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(16_000))
    with open_recording(path, 8_000) as recording:
        assert (recording.format, recording.sample_rate) == ("pcm", 8_000)
        assert recording.duration_ms == 1000
    assert "--rate" in refusal(path)


def test_a_pipe_is_as_long_as_what_came_through(tmp_path: Path):
    path = tmp_path / "pipe.raw"
    os.mkfifo(path)
    threading.Thread(target=path.write_bytes, args=[bytes(64_000)]).start()
    with open_recording(path, None) as recording:
        assert recording.duration_ms is None
        assert len(b"".join(iter(recording.read, b""))) == 64_000
        assert recording.duration_ms == 2000


def test_what_cannot_be_read_is_refused_with_a_reason(tmp_path: Path):
    (tmp_path / "empty.wav").touch()
    (tmp_path / "short.wav").write_bytes(b"RIFF\0\0\0\0WAVE")
    (tmp_path / "film.avi").write_bytes(b"RIFF\0\0\0\0AVI LIST")
    assert refusal(tmp_path / "missing.wav") == "no such file or directory."
    assert "directory" in refusal(tmp_path)
    assert "empty" in refusal(tmp_path / "empty.wav")
    assert "cut off" in refusal(tmp_path / "short.wav")
    assert "not a WAV" in refusal(tmp_path / "film.avi")


@pytest.mark.parametrize(
    "content", [b"ID3\x04rest", b"\xff\xfb\x90", b"OggS", b"\x89PNG\r\n", b"Dear Sir or Madam"]
)
def test_what_is_not_wav_is_refused_with_what_to_do(tmp_path: Path, content: bytes):
    path = tmp_path / "a.mp3"
    path.write_bytes(content)
    assert "only wav and raw pcm" in refusal(path)
    assert "ffmpeg" in refusal(path)
