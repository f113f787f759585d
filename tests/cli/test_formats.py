import json

import pytest

from hearline.cli.formats import FormatName, open_writer
from hearline.wire.messages import Sentence, Word

HELLO = Sentence(
    sentence_id=1,
    begin_time=100,
    end_time=900,
    text="hello world",
    sentence_end=True,
    words=(
        Word(begin_time=100, end_time=400, text="hello ", confidence=0.9),
        Word(begin_time=500, end_time=900, text="world"),
    ),
)
AGAIN = Sentence(sentence_id=2, begin_time=2000, end_time=2500, text="again", sentence_end=True)


def written(name: FormatName, recordings: dict[str, list[Sentence]]) -> str:
    writer = open_writer(name, several=len(recordings) > 1)
    parts: list[str] = []
    for file, sentences in recordings.items():
        parts.append(writer.begin(file))
        parts.extend(writer.sentence(sentence) for sentence in sentences)
        parts.append(writer.end(3000))
    return "".join([*parts, writer.close()])


def test_text_is_a_line_a_sentence():
    assert written("txt", {"a.wav": [HELLO, AGAIN]}) == "hello world\nagain\n"


def test_text_of_several_recordings_stands_under_their_names():
    text = written("txt", {"a.wav": [HELLO], "b.wav": [AGAIN]})
    assert text == "==> a.wav <==\nhello world\n\n==> b.wav <==\nagain\n"


def test_json_of_one_recording_is_an_object():
    recording = json.loads(written("json", {"a.wav": [HELLO, AGAIN]}))
    assert recording == {
        "file": "a.wav",
        "duration_ms": 3000,
        "text": "hello world\nagain",
        "sentences": [
            {
                "sentence_id": 1,
                "begin_time": 100,
                "end_time": 900,
                "text": "hello world",
                "words": [
                    {
                        "begin_time": 100,
                        "end_time": 400,
                        "text": "hello ",
                        "punctuation": "",
                        "confidence": 0.9,
                    },
                    {"begin_time": 500, "end_time": 900, "text": "world", "punctuation": ""},
                ],
            },
            {
                "sentence_id": 2,
                "begin_time": 2000,
                "end_time": 2500,
                "text": "again",
                "words": [],
            },
        ],
    }


def test_json_of_several_recordings_is_a_list():
    recordings = json.loads(written("json", {"a.wav": [HELLO], "b.wav": [], "c.wav": [AGAIN]}))
    assert [(r["file"], r["text"]) for r in recordings] == [
        ("a.wav", "hello world"),
        ("b.wav", ""),
        ("c.wav", "again"),
    ]


def test_json_of_several_recordings_that_all_failed_is_an_empty_list():
    assert json.loads(open_writer("json", several=True).close()) == []


def test_a_recording_that_failed_on_its_way_leaves_nothing_in_json():
    writer = open_writer("json", several=True)
    text = writer.begin("a.wav") + writer.sentence(HELLO)  # and no end
    text += writer.begin("b.wav") + writer.sentence(AGAIN) + writer.end(3000) + writer.close()
    assert [(r["file"], r["text"]) for r in json.loads(text)] == [("b.wav", "again")]


def test_json_lines_is_an_object_a_sentence_with_its_file():
    lines = written("jsonl", {"a.wav": [HELLO], "b.wav": [AGAIN]}).splitlines()
    assert [(json.loads(line)["file"], json.loads(line)["text"]) for line in lines] == [
        ("a.wav", "hello world"),
        ("b.wav", "again"),
    ]


def test_subrip_numbers_its_cues():
    assert written("srt", {"a.wav": [HELLO, AGAIN]}) == (
        "1\n00:00:00,100 --> 00:00:00,900\nhello world\n\n"
        "2\n00:00:02,000 --> 00:00:02,500\nagain\n\n"
    )


def test_webvtt_begins_with_its_name():
    assert written("vtt", {"a.wav": [HELLO]}) == (
        "WEBVTT\n\n00:00:00.100 --> 00:00:00.900\nhello world\n\n"
    )


@pytest.mark.parametrize(("name", "silence"), [("txt", ""), ("srt", ""), ("vtt", "WEBVTT\n\n")])
def test_a_recording_without_speech_is_still_a_valid_file(name: FormatName, silence: str):
    assert written(name, {"a.wav": []}) == silence


def test_a_sentence_that_its_server_did_not_number_has_no_number():
    sentence = Sentence(begin_time=0, end_time=1, text="x", sentence_end=True)
    assert "sentence_id" not in json.loads(written("jsonl", {"a.wav": [sentence]}))
