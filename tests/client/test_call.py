"""`Recognition.call`: a file in one call (spec 5.2)."""

from pathlib import Path

import pytest
from client.fake_server import FakeServer, Talk, failing

from hearline import Recognition
from hearline.errors import InputDataRequired


def recognition(server: FakeServer) -> Recognition:
    return Recognition("m", None, "pcm", 16000, base_address=server.url)


def test_a_file_returns_all_finals_and_their_costs(tmp_path: Path) -> None:
    def two(talk: Talk) -> None:
        talk.start()
        talk.hear_finish()
        talk.partial("one")
        talk.final("one", end_time=900)
        talk.final("two", end_time=2100, sentence_id=2)
        talk.finish()
        talk.hear_close()

    file = tmp_path / "a.pcm"
    file.write_bytes(bytes(range(250)) * 100)
    with FakeServer(two) as server:
        r = recognition(server)
        result = r.call(str(file))
    assert server.talk.audio == file.read_bytes()
    assert [len(packet) for packet in server.talk.packets] == [12800, 12200]
    sentences = result.get_sentence()
    assert isinstance(sentences, list)
    assert [s["text"] for s in sentences] == ["one", "two"]
    assert (result.status_code, result.code, result.message) == (200, "", "")
    assert result.usage == {"duration": 3}
    assert result.get_usage(sentences[0]) == {"duration": 1}
    assert result.get_request_id() == r.get_last_request_id() == server.talk.task_id
    assert r.get_first_package_delay() is not None
    assert r.get_last_package_delay() is not None
    assert r.get_response() == result


def test_no_speech_is_a_success_without_output(tmp_path: Path) -> None:
    def mute(talk: Talk) -> None:
        talk.start()
        talk.hear_finish()
        talk.finish()
        talk.hear_close()

    (tmp_path / "a").write_bytes(b"x")
    with FakeServer(mute) as server:
        result = recognition(server).call(str(tmp_path / "a"))
    assert result.status_code == 200
    assert result.output is None
    assert result.get_sentence() is None
    assert result.usage is None


def test_failures_are_results(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100_000)
    with FakeServer(failing) as server:
        r = recognition(server)
        result = r.call(str(tmp_path / "a"))
        assert (result.status_code, result.code) == (44, "InternalError")
        assert r.call(str(tmp_path / "a")).status_code == 44  # and the object lives on
    result = r.call(str(tmp_path / "a"))
    assert (result.status_code, result.code) == (-1, "ConnectionError")


def test_what_is_no_file_with_content_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with FakeServer() as server:
        r = recognition(server)
        with pytest.raises(FileNotFoundError, match=r"^No such file or directory: /nowhere$"):
            r.call("/nowhere")
        with pytest.raises(IsADirectoryError, match=r"^Is a directory: "):
            r.call(str(tmp_path))
        with pytest.raises(InputDataRequired, match=r"^The supplied file was empty \(zero"):
            r.call(str(tmp_path / "empty"))
    assert server.requests == []
