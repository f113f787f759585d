"""Hearline: real-time speech recognition that people run themselves.

Importing this costs next to nothing: a name is loaded from its module when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hearline.client.aio import AsyncRecognition
    from hearline.client.results import RecognitionCallback, RecognitionResult
    from hearline.client.sync import Recognition
    from hearline.errors import HearlineError
    from hearline.wire.client import Deadlines
    from hearline.wire.messages import Sentence, Usage, Word

__version__ = "0.1.0"

__all__ = [
    "AsyncRecognition",
    "Deadlines",
    "HearlineError",
    "Recognition",
    "RecognitionCallback",
    "RecognitionResult",
    "Sentence",
    "Usage",
    "Word",
    "__version__",
]

_HOMES: Final = {
    "AsyncRecognition": "hearline.client.aio",
    "Deadlines": "hearline.wire.client",
    "HearlineError": "hearline.errors",
    "Recognition": "hearline.client.sync",
    "RecognitionCallback": "hearline.client.results",
    "RecognitionResult": "hearline.client.results",
    "Sentence": "hearline.wire.messages",
    "Usage": "hearline.wire.messages",
    "Word": "hearline.wire.messages",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(globals().keys() | _HOMES.keys())
