"""Where to connect and as whom: the caller's word, then the environment, then the default.

Knows the names of settings and headers (spec 1.2 and 8); refuses to know sockets. A key is shown in
no message and no ``repr``.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from hearline import __version__
from hearline.errors import AuthenticationError, InputRequired, InvalidParameter, shown

DEFAULT_URL: Final = "ws://127.0.0.1:9870/api-ws/v1/inference"
"""The server that `hearline serve` starts."""

_WORKSPACE_FIELD: Final = "{workspace_id}"
_WORKSPACE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LOOPBACK: Final = re.compile(r"localhost|::1|127(\.\d{1,3}){3}")


class Access(Struct, frozen=True, kw_only=True):
    """What someone says about where to connect and as whom; None says nothing.

    Attributes:
        api_key: The key itself.
        api_key_file_path: A file that holds nothing but the key.
        base_address: The WebSocket's URL; ``{workspace_id}`` in it is filled in.
        workspace: The workspace to work in.
        headers: More headers for the handshake, added as they are.

    """

    api_key: str | None = None
    api_key_file_path: str | None = None
    base_address: str | None = None
    workspace: str | None = None
    headers: Mapping[str, str] | None = None

    def __repr__(self) -> str:
        return f"Access(base_address={self.base_address!r})"


class Endpoint(Struct, frozen=True, kw_only=True):
    """A server and what to tell it at the handshake."""

    url: str
    headers: Mapping[str, str]
    is_loopback: bool

    def __repr__(self) -> str:
        return f"Endpoint(url={self.url!r})"


def from_environment(environment: Mapping[str, str] = os.environ) -> Access:
    """Return what the environment says: Hearline's own names before DashScope's."""
    get = environment.get
    return Access(
        api_key=get("HEARLINE_API_KEY") or get("DASHSCOPE_API_KEY"),
        api_key_file_path=get("DASHSCOPE_API_KEY_FILE_PATH"),
        base_address=get("HEARLINE_URL") or get("DASHSCOPE_WEBSOCKET_BASE_URL"),
        workspace=get("DASHSCOPE_WORKSPACE_ID"),
    )


def locate(asked: Access, fallback: Access) -> Endpoint:
    """Return the server to connect to, with its headers.

    Args:
        asked: What the caller says; it counts first.
        fallback: What counts where the caller says nothing.

    Raises:
        AuthenticationError: There is no key, and the server is not on this machine.
        InvalidParameter: The URL or the key cannot be one.
        InputRequired: The URL needs a workspace, and none is named.

    """
    url = asked.base_address or fallback.base_address or DEFAULT_URL
    if _WORKSPACE_FIELD in url:
        url = url.replace(_WORKSPACE_FIELD, _workspace(asked.workspace or fallback.workspace))
    is_loopback = _LOOPBACK.fullmatch(_host(url)) is not None
    headers = {"User-Agent": f"hearline/{__version__}"}
    if key := _find_key(asked, fallback):
        headers["Authorization"] = f"Bearer {key}"
    elif not is_loopback:
        raise AuthenticationError(
            f"No API key provided for {url}: pass api_key=..., or set HEARLINE_API_KEY or "
            "DASHSCOPE_API_KEY, or store the key in ~/.dashscope/api_key."
        )
    if asked.workspace:
        headers["X-DashScope-WorkSpace"] = asked.workspace
    return Endpoint(url=url, headers=headers | dict(asked.headers or {}), is_loopback=is_loopback)


def _host(url: str) -> str:
    """Return the host of a WebSocket URL, or raise if it is none."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
        parts = None
    if parts is None or not host or parts.scheme not in ("ws", "wss"):
        raise InvalidParameter(f"Invalid URL {shown(url)}: expected ws://… or wss://….")
    return host


def _workspace(workspace: str | None) -> str:
    if workspace is None:
        raise InputRequired(
            "The URL contains '{workspace_id}' but no workspace is named: "
            "pass workspace=... or set DASHSCOPE_WORKSPACE_ID."
        )
    if not _WORKSPACE_ID.fullmatch(workspace):
        # It becomes a part of the host's name: anything looser could name another host.
        raise InvalidParameter(f"Invalid workspace {shown(workspace)}.")
    return workspace


def _find_key(asked: Access, fallback: Access) -> str | None:
    path = asked.api_key_file_path or fallback.api_key_file_path
    key = asked.api_key or fallback.api_key or (_read_key(Path(path)) if path else _stored_key())
    if key and not (key.isascii() and key.isprintable()):
        raise InvalidParameter("The API key holds characters that no key has, such as line breaks.")
    return key


def _stored_key() -> str | None:
    """Return the key that DashScope's ``save_api_key`` stores, if there is one."""
    path = Path("~/.dashscope/api_key").expanduser()
    return _read_key(path) if path.is_file() else None


def _read_key(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise AuthenticationError(f"Cannot read the API key file {path}: {exc}.") from exc
