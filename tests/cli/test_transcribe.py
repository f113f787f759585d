import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Command = Callable[..., "CompletedProcess[str]"]


def test_text_goes_to_standard_output_and_nothing_else_anywhere(
    hearline: Command, server: str, recording: Path
):
    done = hearline("transcribe", recording, "--server", server)
    assert (done.returncode, done.stdout, done.stderr) == (0, "one two three four\n", "")


def test_the_server_may_come_from_the_environment(hearline: Command, server: str, recording: Path):
    assert hearline("transcribe", recording, HEARLINE_URL=server).stdout == "one two three four\n"


def test_json_has_words_with_times_inside_the_recording(
    hearline: Command, server: str, recording: Path
):
    done = hearline("transcribe", recording, "--server", server, "--format", "json")
    result = json.loads(done.stdout)
    assert (result["file"], result["duration_ms"]) == (str(recording), 3000)
    (sentence,) = result["sentences"]
    assert [word["text"].strip() for word in sentence["words"]] == result["text"].split()
    times = [time for word in sentence["words"] for time in (word["begin_time"], word["end_time"])]
    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] <= 3000


def test_silence_decides_where_a_sentence_ends(
    hearline: Command, server: str, recording: Path, tmp_path: Path
):
    twice = tmp_path / "twice.raw"
    twice.write_bytes(recording.read_bytes() * 2)
    command = ("transcribe", twice, "--server", server, "--format", "jsonl", "--silence")
    assert len(hearline(*command, 6000).stdout.splitlines()) == 1
    assert len(hearline(*command, 400).stdout.splitlines()) == 2


def test_a_bad_file_does_not_keep_the_others_from_being_recognised(
    hearline: Command, server: str, recording: Path
):
    done = hearline("transcribe", "missing.wav", recording, "--server", server)
    assert done.returncode == 1
    assert done.stdout == f"==> {recording} <==\none two three four\n"
    assert done.stderr == "hearline: missing.wav: no such file or directory.\n"


def test_json_of_several_files_stays_valid_when_one_is_bad(
    hearline: Command, server: str, recording: Path
):
    command = ("transcribe", recording, "missing.wav", recording, "--server", server)
    done = hearline(*command, "--format", "json")
    assert done.returncode == 1
    assert [result["text"] for result in json.loads(done.stdout)] == ["one two three four"] * 2


@pytest.mark.parametrize(("name", "head"), [("srt", "1\n00:00:0"), ("vtt", "WEBVTT\n\n00:00:0")])
def test_captions_show_the_words(
    hearline: Command, server: str, recording: Path, name: str, head: str
):
    done = hearline("transcribe", recording, "--server", server, "--format", name)
    assert done.stdout.startswith(head)
    assert done.stdout.endswith("\none two three four\n\n")


def test_a_key_comes_from_the_environment(hearline: Command, locked: str, recording: Path):
    command = ("transcribe", recording, "--server", locked)
    assert hearline(*command, HEARLINE_API_KEY="right").returncode == 0
    assert hearline(*command, DASHSCOPE_API_KEY="right").returncode == 0


def test_the_example_is_recognised_by_the_server_in_the_process(hearline: Command, root: Path):
    done = hearline("transcribe", root / "examples" / "weather_espeak.wav")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "The weather is nice today and the sun is shining.\n"


def test_real_speech_is_recognised_with_words_and_times(hearline: Command, speech: Path):
    command = ("transcribe", speech / "en/jfk.wav", speech / "en/goforward.raw")
    done = hearline(*command, "--rate", 16_000, "--format", "json")
    jfk, goforward = json.loads(done.stdout)
    assert goforward["text"] == "Go forward ten meters."
    assert {"fellow", "country", "can", "do", "you"} <= set(re.findall(r"\w+", jfk["text"]))
    assert jfk["duration_ms"] == 11_000
    for word in (word for sentence in jfk["sentences"] for word in sentence["words"]):
        assert 0 <= word["begin_time"] < word["end_time"] <= 11_000
