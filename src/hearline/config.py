"""The settings of a server: one frozen record, and where each of its values came from.

A flag wins over the environment, the environment over the TOML file, the file over the default.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from hearline.errors import ConfigurationError, shown

ENVIRONMENT_PREFIX: Final = "HEARLINE_"
DEFAULT_PORT: Final = 9870
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_PORTS: Final = range(65_536)


def default_models() -> Path:
    """Return the user's model folder, by the XDG base directory rules."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "hearline" / "models"


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a server runs.

    Attributes:
        host: Address to listen on.
        port: Port to listen on; 0 takes any free one.
        api_key: The key that clients must present; without one, only loopback is served.
        engine: Name of the engine that recognises.
        models: Folder of downloaded models.

    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    api_key: str | None = None
    engine: str = "pocketsphinx"
    models: Path = field(default_factory=default_models)

    def __repr__(self) -> str:
        """Show everything but the key, which must not reach a log."""
        shown_key = None if self.api_key is None else "***"
        return (
            f"Settings(host={self.host!r}, port={self.port}, api_key={shown_key!r}, "
            f"engine={self.engine!r}, models={str(self.models)!r})"
        )

    def __post_init__(self) -> None:
        """Refuse what cannot be served.

        Raises:
            ConfigurationError: The port is none, the key is empty, or the address is public and no
                key guards it.

        """
        if self.api_key == "":
            raise ConfigurationError("api_key is empty: set a key, or leave it out.")
        if self.port not in _PORTS:
            raise ConfigurationError(f"port {self.port}: expected 0 to {_PORTS.stop - 1}.")
        if self.api_key is None and self.host not in _LOOPBACK:
            raise ConfigurationError(
                f"host {self.host} can be reached from elsewhere and no key is set: "
                "set api_key, or listen on 127.0.0.1."
            )


def load_settings(
    flags: Mapping[str, Any],
    environment: Mapping[str, str],
    file: Path | None = None,
) -> Settings:
    """Merge all sources of settings.

    Args:
        flags: Values by setting; None counts as not given.
        environment: Read for names such as ``HEARLINE_PORT``.
        file: A TOML file of settings.

    Raises:
        ConfigurationError: A setting is unknown, of the wrong type or out of its range, or the
            file cannot be read.

    """
    values: dict[str, Any] = {}
    if file is not None:
        values.update(_read_file(file))
    for name in Settings.__struct_fields__:
        text = environment.get(ENVIRONMENT_PREFIX + name.upper())
        if text:
            values[name] = text
    values.update({name: value for name, value in flags.items() if value is not None})
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_decode_path)
    except msgspec.ValidationError as exc:
        raise ConfigurationError(f"Settings: {exc}.") from exc


def _decode_path(kind: type, value: object) -> object:
    """Read what msgspec does not know: paths."""
    if kind is not Path or not isinstance(value, str | Path):
        raise ConfigurationError(f"Settings: {shown(value)} is not a path.")
    return Path(value)


def _read_file(file: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigurationError(f"Settings file {file}: {exc.strerror or exc}.") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"Settings file {file}: {exc}.") from exc
