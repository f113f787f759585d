"""Where to connect and as whom (spec 1.2 and 8)."""

from pathlib import Path

import pytest

from hearline.client.endpoint import DEFAULT_URL, Access, from_environment, locate
from hearline.errors import AuthenticationError, InputRequired, InvalidParameter

CLOUD = "wss://asr.example/api-ws/v1/inference"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def key(asked: Access, **environment: str) -> str | None:
    endpoint = locate(asked, from_environment(environment))
    return endpoint.headers.get("Authorization")


def test_without_any_word_it_is_the_server_on_this_machine_without_a_key() -> None:
    endpoint = locate(Access(), from_environment({}))
    assert endpoint.url == DEFAULT_URL
    assert endpoint.is_loopback
    assert "Authorization" not in endpoint.headers
    assert endpoint.headers["User-Agent"].startswith("hearline/")


def test_the_callers_word_counts_before_hearlines_environment_before_dashscopes() -> None:
    both = {"HEARLINE_URL": "ws://ours/", "DASHSCOPE_WEBSOCKET_BASE_URL": "ws://theirs/"}
    keys = {"HEARLINE_API_KEY": "ours", "DASHSCOPE_API_KEY": "theirs"}

    def url(asked: Access, **environment: str) -> str:
        return locate(asked, from_environment(environment | keys)).url

    assert url(Access(base_address="ws://mine/"), **both) == "ws://mine/"
    assert url(Access(), **both) == "ws://ours/"
    assert url(Access(), DASHSCOPE_WEBSOCKET_BASE_URL="ws://theirs/") == "ws://theirs/"
    assert key(Access(api_key="mine"), **keys) == "Bearer mine"
    assert key(Access(), **keys) == "Bearer ours"
    assert key(Access(), DASHSCOPE_API_KEY="theirs") == "Bearer theirs"


def test_a_key_is_read_from_its_file_only_where_nobody_says_one(home: Path) -> None:
    named, stored = home / "named", home / ".dashscope" / "api_key"
    named.write_text("from-the-named-file\n")
    stored.parent.mkdir()
    stored.write_text("stored\n")
    path = str(named)
    assert key(Access(), DASHSCOPE_API_KEY_FILE_PATH=path) == "Bearer from-the-named-file"
    assert key(Access()) == "Bearer stored"
    assert key(Access(api_key="k"), DASHSCOPE_API_KEY_FILE_PATH="/nowhere") == "Bearer k"
    with pytest.raises(AuthenticationError, match="Cannot read the API key file /nowhere"):
        key(Access(), DASHSCOPE_API_KEY_FILE_PATH="/nowhere")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("localhost", True),
        ("LOCALHOST", True),
        ("[::1]", True),
        ("127.0.0.1.example", False),
        ("localhost.example", False),
        ("10.0.0.1", False),
    ],
)
def test_only_this_machine_needs_no_key(host: str, loopback: bool) -> None:
    asked = Access(base_address=f"ws://{host}:9870/x")
    if loopback:
        assert locate(asked, Access()).is_loopback
    else:
        with pytest.raises(AuthenticationError, match="No API key provided for ws://"):
            locate(asked, Access())


def test_a_workspace_goes_into_url_and_header() -> None:
    template = "wss://{workspace_id}.example/x"
    said = locate(Access(api_key="k", base_address=template, workspace="ws-1"), Access())
    assert said.url == "wss://ws-1.example/x"
    assert said.headers["X-DashScope-WorkSpace"] == "ws-1"
    found = locate(
        Access(api_key="k", base_address=template),
        from_environment({"DASHSCOPE_WORKSPACE_ID": "e"}),
    )
    assert found.url == "wss://e.example/x"
    assert "X-DashScope-WorkSpace" not in found.headers
    with pytest.raises(InputRequired, match="no workspace is named"):
        locate(Access(api_key="k", base_address=template), Access())
    with pytest.raises(InvalidParameter, match=r"Invalid workspace 'evil\.com/#'"):
        locate(Access(api_key="k", base_address=template, workspace="evil.com/#"), Access())


@pytest.mark.parametrize("url", ["http://a/", "ws://", "nonsense", "ws://[", "ws://a:port/"])
def test_what_is_no_websocket_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidParameter, match="expected ws://"):
        locate(Access(base_address=url), Access())


def test_a_key_is_never_shown_and_never_breaks_a_header() -> None:
    asked = Access(api_key="sk-secret", base_address=CLOUD)
    assert "sk-secret" not in f"{asked!r} {locate(asked, Access())!r}"
    with pytest.raises(InvalidParameter, match="characters that no key has") as caught:
        locate(Access(api_key="sk-secret\r\nX: y", base_address=CLOUD), Access())
    assert "sk-secret" not in str(caught.value)


def test_further_headers_are_added_as_they_are() -> None:
    asked = Access(api_key="k", base_address=CLOUD, headers={"X-A": "b", "User-Agent": "me"})
    headers = locate(asked, Access()).headers
    assert headers["X-A"] == "b"
    assert headers["User-Agent"] == "me"
