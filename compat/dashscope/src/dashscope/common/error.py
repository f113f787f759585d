"""The exceptions that DashScope's users catch (spec 5.4)."""

from hearline.errors import (
    AuthenticationError,
    InputDataRequired,
    InputRequired,
    InvalidParameter,
    InvalidTask,
    ModelRequired,
)
from hearline.errors import HearlineError as DashScopeException

__all__ = [
    "AuthenticationError",
    "DashScopeException",
    "InputDataRequired",
    "InputRequired",
    "InvalidParameter",
    "InvalidTask",
    "ModelRequired",
]
