"""Writes what the documentation says about declarations, from the declarations.

A page holds blocks between ``<!-- generated: NAME -->`` and ``<!-- end -->``; this script fills
them in. ``python docs/generate.py`` rewrites the pages, ``--check`` only tells whether they differ.
"""  # noqa: INP001 - a script beside the pages, not a package

import ast
import inspect
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import msgspec
from msgspec import NODEFAULT, Struct

from hearline import errors
from hearline.config import ENVIRONMENT_PREFIX, Settings
from hearline.server.service import SERVED_MODELS
from hearline.wire import client, client_states, server, server_states
from hearline.wire.parameters import PARAMETERS, Parameter

PAGES: Final = Path(__file__).parent

_BLOCK: Final = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_MARK: Final = re.compile(r"<!-- (?:generated\b|end\b)")
_REFERENCE: Final = re.compile(r"\s*\((?:spec|reliability|R\d)[^()]*\)")
_ATTRIBUTE: Final = re.compile(r"^    (\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)


def models() -> str:
    """List the names of DashScope's models that a server answers to."""
    return "\n".join(f"- `{name}`" for name in sorted(SERVED_MODELS))


def parameters() -> str:
    """Tabulate the parameters of a task."""
    return _table(
        ("parameter", "allowed", "default", "unit", "models", "meaning"),
        (
            (
                f"`{parameter.name}`",
                parameter.allowed,
                _default(parameter),
                parameter.rule.unit,
                parameter.rule.models,
                parameter.rule.doc,
            )
            for parameter in PARAMETERS
        ),
    )


def error_classes() -> str:
    """Tabulate the exceptions, each after the one it is a kind of."""
    return _table(
        ("class", "a kind of", "wire code", "HTTP status", "retry", "meaning"),
        (
            (
                f"`{kind.__name__}`",
                f"`{kind.__base__.__name__}`" if kind.__base__ else "",
                f"`{kind.code}`",
                kind.http_status,
                "yes" if kind.retryable else "no",
                _plain(_summary(kind)),
            )
            for kind in vars(errors).values()
            if isinstance(kind, type) and issubclass(kind, errors.HearlineError)
        ),
    )


def settings() -> str:
    """Tabulate the settings of a server."""
    meanings = _documented_attributes(Settings)
    # The default folder depends on the machine; the page names the variable that decides it.
    with patch.dict(os.environ, {"XDG_DATA_HOME": "$XDG_DATA_HOME"}):
        defaults = {field.name: _field_default(field) for field in msgspec.structs.fields(Settings)}
    return _table(
        ("setting", "flag", "environment variable", "default", "meaning"),
        (
            (
                f"`{name}`",
                f"`--{name.replace('_', '-')}`",
                f"`{ENVIRONMENT_PREFIX}{name.upper()}`",
                default,
                meanings[name],
            )
            for name, default in defaults.items()
        ),
    )


def server_connection() -> str:
    """Tabulate the server's connection: its states, what the outcomes mean, what happens when."""
    return "\n\n".join(
        [
            _meanings("state", server_states.ConnectionState),
            _meanings("outcome", server_states.Outcome),
            _transitions(
                server_states.ConnectionState,
                server_states.Signal,
                server_states.CONNECTION_OUTCOMES,
            ),
        ]
    )


def server_task() -> str:
    """Tabulate the server's tasks: their states, their transitions."""
    return "\n\n".join(
        [
            _meanings("state", server_states.TaskState),
            _transitions(
                server_states.TaskState, server_states.Signal, server_states.TASK_TRANSITIONS
            ),
        ]
    )


def client_machine() -> str:
    """Tabulate the client's machine: its states, its outcomes, its transitions."""
    return "\n\n".join(
        [
            _meanings("state", client_states.State),
            _meanings("outcome", client_states.Outcome),
            _transitions(client_states.State, client_states.Signal, client_states.TRANSITIONS),
        ]
    )


def server_deadlines() -> str:
    """Tabulate how long the server waits."""
    return _deadlines(server.Deadlines)


def client_deadlines() -> str:
    """Tabulate how long the SDK waits."""
    return _deadlines(client.Deadlines)


BLOCKS: Final[Mapping[str, Callable[[], str]]] = {
    "models": models,
    "parameters": parameters,
    "errors": error_classes,
    "settings": settings,
    "server-connection": server_connection,
    "server-task": server_task,
    "client-machine": client_machine,
    "server-deadlines": server_deadlines,
    "client-deadlines": client_deadlines,
}
"""What writes each block."""


def rewrite(text: str) -> str:
    """Return a page with its blocks as the declarations want them.

    Raises:
        ValueError: A block has no end, or nothing writes it.

    """
    if len(_MARK.findall(text)) != 2 * len(_BLOCK.findall(text)):
        raise ValueError("a generated block lacks its name or its end")

    def fill(block: re.Match[str]) -> str:
        if block[2] not in BLOCKS:
            raise ValueError(f"nothing writes the block {block[2]}")
        return f"{block[1]}\n{BLOCKS[block[2]]()}\n\n{block[3]}"

    return _BLOCK.sub(fill, text)


def outdated() -> dict[Path, str]:
    """Return the pages that differ from the declarations, as they should be."""
    pages = {page: page.read_text(encoding="utf-8") for page in sorted(PAGES.glob("*.md"))}
    return {page: new for page, text in pages.items() if (new := rewrite(text)) != text}


def main(arguments: Sequence[str]) -> int:
    """Rewrite the pages, or check them; return the exit status."""
    if unknown := set(arguments) - {"--check"}:
        sys.stderr.write(f"Unknown argument {unknown.pop()}: only --check is known.\n")
        return 2
    pages = outdated()
    for page, text in pages.items():
        if arguments:
            sys.stderr.write(f"{page.name} is outdated: run python docs/generate.py\n")
        else:
            page.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{page.name} rewritten\n")
    return int(bool(arguments and pages))


def _transitions(states: type[StrEnum], signals: type[StrEnum], table: Mapping[Any, Any]) -> str:
    """Tabulate what each signal does in each state: an outcome, and a new state if one follows."""

    def cell(state: StrEnum, signal: StrEnum) -> str:
        entry = table[state, signal]
        if isinstance(entry, StrEnum):
            return str(entry)
        moves = entry.state is not state
        return f"{entry.outcome} → *{entry.state}*" if moves else str(entry.outcome)

    return _table(
        ("what happens", *(f"*{state}*" for state in states)),
        ((signal, *(cell(state, signal) for state in states)) for signal in signals),
    )


def _meanings(heading: str, choices: type[StrEnum]) -> str:
    docs = _attribute_docs(choices)
    return _table((heading, "meaning"), ((choice, _plain(docs[choice.name])) for choice in choices))


def _deadlines(kind: type[Struct]) -> str:
    docs = _attribute_docs(kind)
    return _table(
        ("deadline", "seconds", "from what to what"),
        (
            (f"`{field.name}`", f"{field.default:g}", _plain(docs[field.name]))
            for field in msgspec.structs.fields(kind)
        ),
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", r"\|") for cell in line) + " |" for line in lines
    )


def _default(parameter: Parameter) -> str:
    if parameter.required:
        return "required"
    if isinstance(parameter.default, bool):
        return f"`{str(parameter.default).lower()}`"
    return f"`{parameter.default}`" if parameter.default or parameter.default == 0 else "none"


def _field_default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default if field.default is not NODEFAULT else field.default_factory()
    if value is None:
        return "none"
    return f"`{value.as_posix() if isinstance(value, Path) else value}`"


def _plain(text: str) -> str:
    """Return a docstring's text as Markdown, without its references to other pages."""
    return _REFERENCE.sub("", text).replace("``", "`")


def _summary(kind: type) -> str:
    return (inspect.getdoc(kind) or "").partition("\n")[0]


def _documented_attributes(kind: type) -> dict[str, str]:
    """Return the ``Attributes`` section of a class's docstring, by name."""
    section = (inspect.getdoc(kind) or "").partition("Attributes:\n")[2]
    return {name: " ".join(text.split()) for name, text in _ATTRIBUTE.findall(section)}


def _attribute_docs(kind: type) -> dict[str, str]:
    """Return the docstrings that stand after a class's attributes, by name."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    docs: dict[str, str] = {}
    for attribute, doc in pairwise(definition.body if isinstance(definition, ast.ClassDef) else ()):
        if not (isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant)):
            continue
        match attribute:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                docs[name] = " ".join(str(doc.value.value).split())
            case _:
                pass
    return docs


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
