"""The command line where something around it is not as usual."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from kit import silence, to_pcm, tone

COMMAND = [sys.executable, "-m", "hearline.cli"]


def test_the_base_install_says_what_the_commands_need() -> None:
    program = (
        "import sys; sys.modules['cyclopts'] = None; "
        "from hearline.cli import main; sys.exit(main([]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "hearline: the command line needs cyclopts: pip install 'hearline[server]'\n"
    )


def test_closed_standard_streams_are_no_reason_to_fail(
    environment: dict[str, str], root: Path
) -> None:
    file = root / "examples" / "weather_espeak.wav"
    closed_output = f"{' '.join(COMMAND)} transcribe {file} >&-"
    done = subprocess.run(
        ["/bin/sh", "-c", closed_output],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    closed_errors = f"{' '.join(COMMAND)} transcribe {file} 2>&-"
    done = subprocess.run(
        ["/bin/sh", "-c", closed_errors],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.split()[:2]) == (0, ["The", "weather"])


def test_a_pipe_that_stays_open_does_not_hold_up_an_interrupt(
    environment: dict[str, str], server: str
) -> None:
    with subprocess.Popen(
        [*COMMAND, "transcribe", "/dev/stdin", "--rate", "16000", "--server", server],
        env=environment | {"HEARLINE_API_KEY": "any"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=False,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(to_pcm(tone(1.0), silence(2.0)) * 2)
        process.stdin.flush()
        process.stdout.readline()  # so that it is in the middle
        process.send_signal(signal.SIGINT)
        asked = time.monotonic()
        assert process.wait(timeout=10) == 130
        assert time.monotonic() - asked < 5
        process.stdin.close()
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
