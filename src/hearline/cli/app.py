"""The commands, and what becomes of their errors: one line and an exit status.

The verbs only raise.
"""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from cyclopts import App, CycloptsError

from hearline import __version__
from hearline.cli.display import complain
from hearline.cli.exits import Exit, exit_of
from hearline.errors import AuthenticationError, HearlineError

if TYPE_CHECKING:
    from io import TextIOWrapper

_KEY_VARIABLE: Final = "HEARLINE_API_KEY"
_EXIT_STATUSES: Final = "Exit status:\n" + "\n".join(
    f"{status.value:>5}  {status.meaning}" for status in Exit
)

app: Final = App(
    name="hearline",
    help="Real-time speech recognition that you run yourself.",
    help_epilogue=_EXIT_STATUSES,
    help_format="plaintext",
    version=__version__,
    print_error=False,
    exit_on_error=False,
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)
# By path, so that a verb is imported when it is called: `hearline --help` needs none of them.
app.command(
    "hearline.cli.transcribe:transcribe", name="transcribe", help="Write the words of recordings."
)
app.command(
    "hearline.cli.serve:serve", name="serve", help="Serve DashScope clients until interrupted."
)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; see `hearline.cli.main`."""
    cast("TextIOWrapper", sys.stdout).reconfigure(encoding="utf-8")
    try:
        return app(arguments) or Exit.DONE
    except CycloptsError as error:
        complain(f"{error} See {' '.join(('hearline', *(error.command_chain or ())))} --help.")
        return Exit.USAGE
    except HearlineError as error:
        complain(_advised(error))
        return exit_of(error)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except OSError as error:
        _forget_output()
        if isinstance(error, BrokenPipeError):
            return Exit.UNREAD
        complain(f"cannot write: {error.strerror or error}.")
        return Exit.FAILED


def _advised(error: HearlineError) -> str:
    """Return what is wrong, with what to do about a key where the server did not say."""
    if isinstance(error, AuthenticationError) and _KEY_VARIABLE not in error.message:
        return f"{error.message} Set {_KEY_VARIABLE} to a key of that server."
    return error.message


def _forget_output() -> None:
    """Let nothing be written any more, or Python would complain when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
