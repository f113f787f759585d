"""Measure what importing costs: CPU seconds of a fresh process, ours and the official package's.

The statements take turns, each in a process of its own, after one run that compiles the modules.
The cost of an empty program is measured too and subtracted.

    python benchmarks/import_time.py [--official DIR] [--runs 10] [--json]

DIR is where `pip install --target DIR dashscope` has put the official package; by default what
DASHSCOPE_WHEEL says. Without it only ours is measured.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

EMPTY = "pass"
OURS = (
    "import hearline",
    "from hearline import Recognition",
    "from hearline import AsyncRecognition",
)
OFFICIAL = ("import dashscope", "from dashscope.audio.asr import Recognition")


def cpu_s(statement: str, paths: Path | None) -> float:
    """Return the CPU time, user and system, of a process that runs a statement."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    extra = {"PYTHONPATH": str(paths)} if paths else {}
    subprocess.run([sys.executable, "-c", statement], env=os.environ | extra, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(statements: dict[str, Path | None], runs: int) -> dict[str, float]:
    """Return each statement's median CPU seconds beyond an empty program's."""
    taken: dict[str, list[float]] = {statement: [] for statement in statements}
    for run in range(runs + 1):
        for statement, paths in statements.items():
            seconds = cpu_s(statement, paths)
            if run:
                taken[statement].append(seconds)
    medians = {statement: statistics.median(seconds) for statement, seconds in taken.items()}
    return {statement: median - medians[EMPTY] for statement, median in medians.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--official", type=Path, default=os.environ.get("DASHSCOPE_WHEEL"))
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    statements: dict[str, Path | None] = dict.fromkeys((EMPTY, *OURS))
    if arguments.official:
        statements |= dict.fromkeys(OFFICIAL, Path(arguments.official))
    found = measure(statements, arguments.runs)
    del found[EMPTY]
    if arguments.json:
        print(json.dumps({statement: round(seconds, 4) for statement, seconds in found.items()}))
        return
    most = max(found.values())
    for statement, seconds in found.items():
        print(f"{statement:45} {seconds:7.3f} CPU s  {seconds / most:7.1%}")


if __name__ == "__main__":
    main()
