"""Importing costs little: what is heavy is loaded when it is used."""

import subprocess
import sys

import pytest

import hearline


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import hearline", {"msgspec", "logging", "threading", "asyncio", "websockets"}),
        ("from hearline import Recognition", {"asyncio", "websockets", "ssl", "http.client"}),
    ],
)
def test_an_import_loads_nothing_heavy(statement: str, absent: set[str]) -> None:
    program = (
        f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert not absent & set(done.stdout.split())


def test_every_public_name_is_found_and_no_other() -> None:
    for name in hearline.__all__:
        assert getattr(hearline, name) is not None
    assert set(hearline.__all__) <= set(dir(hearline))
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        hearline.Nothing  # type: ignore[attr-defined]  # noqa: B018
