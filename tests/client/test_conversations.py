"""What a caller sees of good and bad servers: one body for both shells."""

import concurrent.futures
import time

import pytest
from client.drivers import Driver
from client.fake_server import FakeServer, RawServer, Talk, endless, obedient

from hearline.wire.client import Deadlines

BRIEF = Deadlines(connect_s=0.5, progress_s=0.5, silence_s=0.5, close_s=0.3)


def test_all_audio_arrives_and_all_results_come_back(drive: Driver) -> None:
    packets = [bytes([n]) * 1000 for n in range(50)]
    with FakeServer() as server:
        outcome = drive(server.url, packets)
    assert server.talk.audio == b"".join(packets)
    assert outcome.partials == ["so far"]
    assert outcome.finals == ["50000 bytes"]
    assert outcome.usage_s == 1
    assert outcome.error is None


def test_a_packet_of_any_size_arrives_whole_in_small_messages(drive: Driver) -> None:
    audio = bytes(range(256)) * 65536  # 16 MiB: F12
    with FakeServer() as server:
        outcome = drive(server.url, [audio, b""])
    assert server.talk.audio == audio
    assert max(map(len, server.talk.packets)) <= 64 * 1024
    assert outcome.error is None


def test_parameters_go_over_the_wire_and_settings_do_not(drive: Driver) -> None:
    with FakeServer() as server:
        drive(
            server.url,
            api_key="sk-secret",
            workspace="ws-1",
            headers={"X-Mine": "yes"},
            heartbeat=True,
            vocabulary_id=None,
            language_hints=["en"],
            raw_input={"context": []},
            stream=True,
        )
    assert server.talk.run_task["parameters"] == {
        "format": "pcm",
        "sample_rate": 16000,
        "heartbeat": True,
        "language_hints": ["en"],
    }
    assert server.talk.run_task["input"] == {"context": []}
    assert server.talk.headers["Authorization"] == "Bearer sk-secret"
    assert server.talk.headers["X-DashScope-WorkSpace"] == "ws-1"
    assert server.talk.headers["X-Mine"] == "yes"


def test_audio_sent_before_the_task_starts_is_not_lost(drive: Driver) -> None:
    def slow(talk: Talk) -> None:
        talk.hear()
        time.sleep(0.3)
        talk.say("task-started")
        talk.hear_finish()
        talk.final(f"{len(talk.audio)} bytes")
        talk.finish()
        talk.hear_close()

    with FakeServer(slow) as server:
        outcome = drive(server.url, [b"a" * 3200] * 5)
    assert outcome.finals == ["16000 bytes"]


def test_a_failure_arrives_at_once_while_the_application_is_quiet(drive: Driver) -> None:  # F28
    def failing(talk: Talk) -> None:
        talk.start()
        talk.hear_audio()
        talk.fail("NO_VALID_AUDIO_ERROR", "There is none.")

    with FakeServer(failing) as server:
        began = time.monotonic()
        outcome = drive(server.url, quiet=True)
        assert time.monotonic() - began < 1
    assert outcome.error is not None
    assert outcome.error.status_code == 44
    assert outcome.error.code == "NO_VALID_AUDIO_ERROR"
    assert outcome.error.message == "There is none."


def test_a_failure_before_any_audio_is_reported(drive: Driver) -> None:
    def failing(talk: Talk) -> None:
        talk.hear()
        talk.fail("ModelNotFound", "Model not exist.")

    with FakeServer(failing) as server:
        assert drive(server.url).code == "ModelNotFound"


def test_a_server_that_never_answers_ends_in_a_timeout(drive: Driver) -> None:  # F26
    with FakeServer(Talk.hear_close) as server:
        outcome = drive(server.url, deadlines=BRIEF)
    assert outcome.error is not None
    assert (outcome.error.status_code, outcome.code) == (-1, "RequestTimeOut")


def test_a_server_that_never_finishes_ends_in_a_timeout(drive: Driver) -> None:  # F26
    with FakeServer(endless) as server:
        assert drive(server.url, deadlines=BRIEF).code == "RequestTimeOut"


def test_a_slow_finish_with_progress_is_waited_for(drive: Driver) -> None:  # F35, shrunk
    def slow(talk: Talk) -> None:
        talk.start()
        talk.hear_finish()
        for step in range(8):
            time.sleep(0.2)
            talk.partial(f"step {step}")
        talk.final("done")
        talk.finish()
        talk.hear_close()

    with FakeServer(slow) as server:
        outcome = drive(server.url, deadlines=BRIEF)
    assert outcome.finals == ["done"]
    assert outcome.error is None


def test_a_server_that_takes_no_data_ends_in_a_timeout(drive: Driver) -> None:  # F37
    def deaf(talk: Talk) -> None:
        talk.start()
        time.sleep(1.5)

    with FakeServer(deaf) as server:
        outcome = drive(server.url, [bytes(1 << 20)] * 32, deadlines=BRIEF)
    assert outcome.code == "RequestTimeOut"


def test_a_silent_application_is_finished_in_peace(drive: Driver) -> None:
    with FakeServer() as server:
        outcome = drive(server.url, quiet=True, deadlines=BRIEF)
    assert server.talk.actions == ["run-task", "finish-task"]
    assert outcome.finals == ["3200 bytes"]
    assert outcome.error is None


def test_heartbeats_are_nobodys_words(drive: Driver) -> None:
    def chatty(talk: Talk) -> None:
        talk.start()
        talk.partial("", heartbeat=True, sentence_id=0)
        talk.hear_finish()
        talk.finish()
        talk.hear_close()

    with FakeServer(chatty) as server:
        outcome = drive(server.url)
    assert outcome.partials == []  # heartbeats are nobody's words (spec 3.2)
    assert outcome.error is None


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            401,
            '{"code":"InvalidApiKey","message":"Invalid API-key provided.","request_id":"r"}',
            (401, "InvalidApiKey", "Invalid API-key provided."),
        ),
        (403, "", (403, "AccessDenied", "denies access")),
        (404, "nothing here", (404, "ConnectionError", "nothing here")),
        (503, '{"code":"Throttling","message":"Later."}', (503, "ConnectionError", "Later.")),
        (200, "hello", (-1, "ConnectionError", "HTTP status 200")),
    ],
)
def test_a_refused_handshake_is_an_error_with_the_servers_words(
    drive: Driver, status: int, body: str, expected: tuple[int, str, str]
) -> None:  # F23, F25
    with FakeServer(refusal=(status, body)) as server:
        outcome = drive(server.url, api_key="sk-secret")
    assert outcome.error is not None
    assert (outcome.error.status_code, outcome.code) == expected[:2]
    assert expected[2] in outcome.error.message
    assert "sk-secret" not in str(outcome.error)


def test_a_redirect_is_not_followed(drive: Driver) -> None:  # F25
    with (
        FakeServer() as other,
        FakeServer(refusal=(302, "", {"Location": other.url})) as server,
    ):
        outcome = drive(server.url, api_key="sk-secret")
    assert other.requests == []
    assert outcome.error is not None
    assert outcome.error.status_code == -1
    assert "302" in outcome.error.message


def test_nobody_listening_is_an_error_that_says_where(drive: Driver) -> None:  # F21
    with FakeServer() as server:
        url = server.url
    outcome = drive(url)
    assert outcome.error is not None
    assert (outcome.error.status_code, outcome.code) == (-1, "ConnectionError")
    assert url in outcome.error.message


def test_a_handshake_that_is_never_answered_ends_in_a_timeout(drive: Driver) -> None:  # F22
    with RawServer(None) as server:
        assert drive(server.url, deadlines=BRIEF).code == "RequestTimeOut"


def test_garbage_for_a_handshake_is_an_error(drive: Driver) -> None:  # F25
    with RawServer(b"SSH-2.0-OpenSSH_9.2\r\n\r\n") as server:
        assert drive(server.url).code == "ConnectionError"


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1013])
def test_a_close_before_the_end_is_an_error_with_its_code(drive: Driver, code: int) -> None:  # F29
    def leaving(talk: Talk) -> None:
        talk.start()
        talk.hear_audio()
        talk.connection.close(code, "so long")

    with FakeServer(leaving) as server:
        outcome = drive(server.url, quiet=True)
    assert outcome.error is not None
    assert outcome.error.status_code == -1
    assert str(code) in outcome.error.message
    assert "so long" in outcome.error.message


@pytest.mark.parametrize(
    "text", ["{", "[]", '"text"', "{}", '{"header":{}}', "[" * 100_000, '{"a":' * 5000]
)
def test_what_is_no_message_ends_the_task(drive: Driver, text: str) -> None:  # F30
    def babbling(talk: Talk) -> None:
        talk.start()
        talk.connection.send(text)
        talk.hear_close()

    with FakeServer(babbling) as server:
        assert drive(server.url, quiet=True).code == "ProtocolError"


def test_a_message_too_large_or_not_text_ends_the_task(drive: Driver) -> None:  # F30
    def shouting(talk: Talk) -> None:
        talk.start()
        talk.connection.send("x" * (5 << 20))
        talk.hear_close()

    def mumbling(talk: Talk) -> None:
        talk.start()
        talk.connection.send(b"\xff\xfe", text=True)
        talk.hear_close()

    for script in (shouting, mumbling):
        with FakeServer(script) as server:
            assert drive(server.url, quiet=True).code == "ProtocolError"


def test_what_is_for_nobody_changes_nothing(drive: Driver) -> None:  # F31, F32, F34
    def noisy(talk: Talk) -> None:
        talk.start()
        talk.say("task-started")
        talk.say("news-from-the-future", {"output": {}})
        talk.connection.send(b"binary")
        talk.say("task-failed", task_id="somebody-else", error_code="X", error_message="Y")
        talk.say("result-generated", {"output": {"sentence": 7}})
        talk.partial("extra", colour="blue", words=[])
        talk.hear_finish()
        talk.final("end")
        talk.finish()
        talk.finish()
        talk.final("after the end")
        talk.hear_close()

    with FakeServer(noisy) as server:
        outcome = drive(server.url)
    assert outcome.partials == ["extra"]
    assert outcome.finals == ["end"]
    assert outcome.error is None


def test_an_early_end_is_an_error(drive: Driver) -> None:  # F34
    def hasty(talk: Talk) -> None:
        talk.start()
        talk.hear_audio()
        talk.finish()
        talk.hear_close()

    with FakeServer(hasty) as server:
        assert drive(server.url, quiet=True).code == "EarlyFinish"


def test_a_server_that_does_not_answer_the_close_is_left(drive: Driver) -> None:  # F36
    def rude(talk: Talk) -> None:
        talk.start()
        talk.hear_finish()
        talk.finish()
        time.sleep(1.5)

    with FakeServer(rude) as server:
        began = time.monotonic()
        outcome = drive(server.url, deadlines=BRIEF)
        took_s = time.monotonic() - began
    assert outcome.error is None
    assert took_s < 1.4


def test_many_tasks_at_once_get_their_own_words(drive: Driver) -> None:
    with FakeServer(obedient) as server, concurrent.futures.ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda n: drive(server.url, [b"x" * n]), range(1, 17)))
    assert [outcome.finals for outcome in outcomes] == [[f"{n} bytes"] for n in range(1, 17)]
