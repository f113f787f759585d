"""Engines by name; a foreign one is imported when it is asked for, not before."""

from collections.abc import Callable, Mapping
from typing import Final

from hearline.engines.base import Engine
from hearline.errors import ConfigurationError, shown


def _pocketsphinx() -> Engine:
    from hearline.engines.pocketsphinx import PocketSphinx  # noqa: PLC0415 - only when asked for

    engine = PocketSphinx()
    engine.warm_up()
    return engine


ENGINES: Final[Mapping[str, Callable[[], Engine]]] = {"pocketsphinx": _pocketsphinx}
"""What opens each engine."""


def open_engine(name: str) -> Engine:
    """Load an engine; this may take seconds.

    Raises:
        ConfigurationError: There is no engine of that name.

    """
    opener = ENGINES.get(name)
    if opener is None:
        raise ConfigurationError(f"Unknown engine {shown(name)}: expected {', '.join(ENGINES)}.")
    return opener()
