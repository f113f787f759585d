"""The documentation says what the code says, and its links lead somewhere."""

import ast
import functools
import importlib
import importlib.util
import json
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hearline import errors, speech
from hearline.config import Settings
from hearline.wire import messages
from hearline.wire.parameters import PARAMETERS, read_parameters

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]
PROTOCOL = (DOCS / "protocol.md").read_text(encoding="utf-8")
VOCABULARY = (DOCS / "vocabulary.md").read_text(encoding="utf-8")

SECTION = r"\d+(?:\.\d+)?"
CITATION = re.compile(rf"\bspec\s+({SECTION}(?:(?:,\s+|\s+and\s+){SECTION})*)")
RULE = re.compile(r"\bR\d{1,2}\b")


@functools.cache
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_blocks_are_what_the_declarations_say() -> None:
    outdated = [page.name for page in generate().outdated()]
    assert outdated == [], "run python docs/generate.py"


def test_every_block_stands_on_some_page() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in generate().BLOCKS if f"<!-- generated: {name} -->" not in text] == []


@pytest.mark.parametrize(
    "text",
    [
        "<!-- generated: parameters -->\n",
        "<!-- generated: nothing -->\n<!-- end -->",
        "<!-- end -->",
    ],
)
def test_a_block_that_nothing_fills_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="block"):
        generate().rewrite(text)


def test_a_block_that_differs_is_rewritten_and_the_rest_is_not() -> None:
    page = "before\n<!-- generated: models -->\nold\n<!-- end -->\nafter"
    new = generate().rewrite(page)
    assert new != page
    assert new.startswith("before\n<!-- generated: models -->\n")
    assert new.endswith("<!-- end -->\nafter")
    assert "old" not in new
    assert generate().rewrite(new) == new


@pytest.mark.parametrize("argument", ["--chek", "docs"])
def test_the_generator_refuses_what_it_does_not_know(argument: str) -> None:
    assert generate().main([argument]) == 2


def test_tables_name_everything_that_is_declared() -> None:
    classes = [
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.HearlineError)
    ]
    for page, names in [
        ("parameters.md", [parameter.name for parameter in PARAMETERS]),
        ("errors.md", classes),
        ("settings.md", Settings.__struct_fields__),
    ]:
        text = (DOCS / page).read_text(encoding="utf-8")
        assert [name for name in names if f"\n| `{name}` | " not in text] == []


def headings(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    outside = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.+)$", outside, re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The fragments that GitHub gives the headings of a page."""
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings(page))
    return {text.replace(" ", "-") for text in words}


def broken_links(page: Path) -> Iterator[str]:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path) if path else page
        if not target.exists() or (fragment and fragment not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


def test_a_link_to_nothing_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One word\n[a](#one-word) [b](#two) [c](none.md) [d](https://example.org)")
    assert list(broken_links(page)) == ["#two", "none.md"]


def cited(pattern: re.Pattern[str]) -> dict[str, str]:
    """What the sources cite, each with one place that does."""
    found: dict[str, str] = {}
    for folder in ("src", "compat", "tests", "benchmarks", "examples"):
        for source in sorted((ROOT / folder).rglob("*.py")):
            if source.resolve() == Path(__file__).resolve():
                continue
            for match in pattern.finditer(source.read_text(encoding="utf-8")):
                found.setdefault(match[match.lastindex or 0], str(source.relative_to(ROOT)))
    return found


def section(number: str) -> str | None:
    """The text under a heading, None if there is no such heading."""
    match = re.search(
        rf"^#+ {re.escape(number)}\.? .*?(?=^#|\Z)", PROTOCOL, re.MULTILINE | re.DOTALL
    )
    return match and match[0]


def lacks(citation: str) -> bool:
    """Whether a citation leads nowhere: "1.3 and 6.1" is two sections, "5.5, 10" an item of one."""
    first, *rest = re.findall(SECTION, citation)
    text = section(first)
    if text is None:
        return True
    return any(
        section(number) is None
        if "." in number or "and" in citation
        else f"\n{number}. " not in text
        for number in rest
    )


def test_every_section_that_code_cites_is_in_the_protocol() -> None:
    citations = cited(CITATION)
    assert {"2.2", "4", "5.3", "6.1"} < citations.keys()
    assert {text: place for text, place in citations.items() if lacks(text)} == {}


@pytest.mark.parametrize(
    ("citation", "missing"),
    [("2.1", False), ("1.3 and 6.1", False), ("5.5, 10", False), ("5.5, 99", True), ("2.9", True)],
)
def test_a_citation_that_leads_nowhere_is_seen(citation: str, *, missing: bool) -> None:
    assert lacks(citation) is missing


def test_every_rule_that_code_cites_is_in_the_protocol() -> None:
    citations = cited(RULE)
    assert {"R4", "R5", "R6"} < citations.keys()
    rules = re.findall(r"^\| (R\d+) \| \S", PROTOCOL, re.MULTILINE)
    assert rules == [f"R{number}" for number in range(1, 13)]
    assert {rule: place for rule, place in citations.items() if rule not in rules} == {}


def examples() -> list[dict[str, Any]]:
    return [
        json.loads(text)
        for text in re.findall(r"^```json\n(.*?)^```", PROTOCOL, re.MULTILINE | re.DOTALL)
    ]


def test_the_examples_show_every_message() -> None:
    headers = [example.get("header", {}) for example in examples()]
    assert {header.get("action") for header in headers} - {None} == {
        "run-task",
        "continue-task",
        "finish-task",
    }
    assert {header.get("event") for header in headers} - {None} == {
        "task-started",
        "result-generated",
        "task-finished",
        "task-failed",
    }


@pytest.mark.parametrize(
    "example",
    [example for example in examples() if "header" in example],
    ids=lambda example: example["header"].get("action") or example["header"]["event"],
)
def test_the_examples_are_what_hearline_reads_and_writes(example: dict[str, Any]) -> None:
    text = json.dumps(example)
    if "action" in example["header"]:
        message = messages.decode_client(text)
        if isinstance(message, messages.RunTask):
            read_parameters(message.parameters)
        assert json.loads(messages.encode_client(message)) == example
    else:
        received = messages.decode_server(text)
        assert not isinstance(received, messages.UnknownEvent)
        assert json.loads(messages.encode_server(received)) == example


@pytest.mark.parametrize(
    ("module", "name", "value", "words"),
    [
        ("server.running", "_MESSAGE_BYTES", 1024 * 1024, "1 MiB"),
        ("server.running", "_PING_S", 20, "every 20 s"),
        ("server.realtime", "_BACKLOG_BYTES", 4 * 1024 * 1024, "4 MiB"),
        ("server.realtime", "_WRITE_S", 30, "30 s"),
        ("vad.rules", "_LONGEST_S", 60, "60 s; then it is cut, from 50 s on"),
        ("wire.client", "MAX_PACKET_BYTES", 64 * 1024, "64 KiB"),
        ("client.whole_file", "_CHUNK_BYTES", 12_800, "12 800 bytes"),
        ("client.endpoint", "DEFAULT_URL", "ws://127.0.0.1:9870/api-ws/v1/inference", "9870"),
    ],
)
def test_limits_are_those_of_the_code(module: str, name: str, value: object, words: str) -> None:
    assert getattr(importlib.import_module(f"hearline.{module}"), name) == value
    assert words in PROTOCOL


def test_every_variable_that_the_sdk_reads_is_documented() -> None:
    source = (ROOT / "src/hearline/client/endpoint.py").read_text(encoding="utf-8")
    variables = set(re.findall(r"\b(?:HEARLINE|DASHSCOPE)_[A-Z_]+\b", source))
    assert "HEARLINE_URL" in variables
    assert [name for name in sorted(variables) if f"`{name}`" not in PROTOCOL] == []


def test_every_setting_is_a_flag_of_the_command() -> None:
    source = (ROOT / "src/hearline/cli/serve.py").read_text(encoding="utf-8")
    (command,) = (
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.name == "serve"
    )
    flags = {argument.arg for argument in command.args.kwonlyargs}
    assert flags == {*Settings.__struct_fields__, "config"}


def test_the_vocabulary_has_every_public_word_of_speech() -> None:
    source = Path(speech.__file__).read_text(encoding="utf-8")
    names: list[str] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.append(node.target.id)
    assert {"Samples", "Word", "Hypothesis", "Transcript"} < set(names)
    assert [name for name in names if f"`speech.{name}`" not in VOCABULARY] == []
    choices = [
        choice
        for name in names
        if isinstance(kind := getattr(speech, name), type) and issubclass(kind, StrEnum)
        for choice in kind
    ]
    assert choices
    assert [choice for choice in choices if f"`{choice}`" not in VOCABULARY] == []


def test_what_the_vocabulary_names_exists() -> None:
    places = re.findall(r"`([a-z_.]+)\.([A-Z]\w+)`", VOCABULARY)
    assert len(places) > 20
    for module, name in places:
        assert hasattr(importlib.import_module(f"hearline.{module}"), name), f"{module}.{name}"


def test_the_licence_is_the_one_that_is_declared() -> None:
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License\n                           Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
