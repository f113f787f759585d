"""`hearline serve`: the service in the foreground."""

import os
import socket
import sys
from pathlib import Path
from typing import Final

import msgspec

from hearline.cli.exits import Exit
from hearline.config import Settings, load_settings
from hearline.errors import ConfigurationError

_ANYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not listened on


def serve(
    *,
    host: str | None = None,
    port: int | None = None,
    api_key: str | None = None,
    engine: str | None = None,
    models: Path | None = None,
    config: Path | None = None,
) -> Exit:
    """Serve DashScope clients until interrupted.

    Args:
        host: Address to listen on; 127.0.0.1 if set nowhere.
        port: Port to listen on; 9870 if set nowhere, 0 takes a free one.
        api_key: Key of clients; better set HEARLINE_API_KEY, for process lists show options.
        engine: Engine that recognises; pocketsphinx if set nowhere.
        models: Folder of downloaded models.
        config: TOML file of settings; options and variables HEARLINE_... win over it.

    """
    flags = {"host": host, "port": port, "api_key": api_key, "engine": engine, "models": models}
    settings = _find_port(load_settings(flags, os.environ, config))

    # Imported here: neither help nor settings that are wrong need a server.
    from hearline.server import app, running  # noqa: PLC0415

    print(_greeting(settings, app.INFERENCE_PATH), file=sys.stderr)  # noqa: T201 - said here
    running.serve(settings)
    return Exit.DONE


def _find_port(settings: Settings) -> Settings:
    """Return the settings with a port that is free now, so that what is announced is true.

    Raises:
        ConfigurationError: The address cannot be listened on.

    """
    try:
        family, kind, *_, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            port = int(probe.getsockname()[1])
    except OSError as exc:
        raise ConfigurationError(
            f"Cannot listen on {settings.host}:{settings.port}: {exc.strerror}. "
            "Choose another address with --host and --port."
        ) from exc
    return msgspec.structs.replace(settings, port=port)


def _greeting(settings: Settings, path: str) -> str:
    """Return how a DashScope client finds this server; its key is not shown."""
    host = "127.0.0.1" if settings.host in _ANYWHERE else settings.host
    authority = f"[{host}]:{settings.port}" if ":" in host else f"{host}:{settings.port}"
    key = "<the key of this server>" if settings.api_key else "<any text>"
    return (
        f"hearline: serving {settings.engine} on {settings.host}, port {settings.port}. "
        "For DashScope clients, set:\n"
        f"DASHSCOPE_WEBSOCKET_BASE_URL=ws://{authority}{path}\n"
        f"DASHSCOPE_API_KEY={key}"
    )
