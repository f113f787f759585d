"""The command line: a skin over everything below, one file a verb."""

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line.

    Args:
        arguments: What follows the program's name; None takes this process's own.

    Returns:
        The exit status, one of `hearline.cli.exits.Exit`.

    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: PTH123, SIM115
    try:
        from hearline.cli.app import run  # noqa: PLC0415 - the base install has no commands
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.startswith("hearline"):
            raise
        print(  # noqa: T201 - this is the command line
            f"hearline: the command line needs {missing.name}: pip install 'hearline[server]'",
            file=sys.stderr,
        )
        return 2
    return run(arguments)
