"""Context: its shape, its limits, and the names of the fields that are wrong."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearline.errors import InvalidParameter
from hearline.wire.context import MOST_TURNS, TURN_CHARACTERS, ContextTurn, read_context


def user(*texts: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "input_text", "text": text} for text in texts]}


def assistant(*texts: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "text", "text": text} for text in texts]}


def turns(*messages: dict[str, Any]) -> tuple[ContextTurn, ...]:
    return read_context({"context": [*messages]})


@pytest.mark.parametrize("raw", [{}, {"context": None}, {"context": []}, {"other": 1}])
def test_context_may_be_absent(raw: dict[str, Any]) -> None:
    assert read_context(raw) == ()


def test_a_turn_is_a_user_and_perhaps_an_answer() -> None:
    assert turns(user("a"), user("b"), assistant("c"), user("d", "e")) == (
        ContextTurn(user="a"),
        ContextTurn(user="b", assistant="c"),
        ContextTurn(user="de"),
    )


def test_the_newest_five_turns_count() -> None:
    said = [message for n in range(7) for message in (user(str(n)), assistant(f"to {n}"))]
    assert [turn.user for turn in turns(*said)] == ["2", "3", "4", "5", "6"]
    assert turns(*said)[0].assistant == "to 2"


@pytest.mark.parametrize(
    ("sizes", "left"),
    [((399, 1), (399, 1)), ((399, 2), (399, 1)), ((400, 9), (400, 0)), ((900, 9), (400, 0))],
)
def test_a_turn_is_cut_from_its_end(sizes: tuple[int, int], left: tuple[int, int]) -> None:
    (turn,) = turns(user("你" * sizes[0]), assistant("好" * sizes[1]))
    assert turn == ContextTurn(user="你" * left[0], assistant="好" * left[1])


@pytest.mark.parametrize(
    ("context", "text"),
    [
        ("x", "payload.input.context' 'x': expected a list"),
        ({}, "payload.input.context' {}: expected a list"),
        (["x"], "payload.input.context[0]' 'x': expected an object"),
        ([user("a"), {"role": "system"}], "context[1].role' 'system': expected user or assistant"),
        ([{"role": []}], "payload.input.context[0].role' []: expected user or assistant"),
        ([{"role": "user"}], "payload.input.context[0].content' None: expected a list"),
        ([{"role": "user", "content": ["x"]}], "context[0].content[0]' 'x': expected an object"),
        ([{**assistant("a"), "role": "user"}], "content[0].type' 'text': expected input_text"),
        (
            [user("a"), {**user("a"), "role": "assistant"}],
            "context[1].content[0].type' 'input_text': expected text",
        ),
        (
            [{"role": "user", "content": [{"type": "input_text", "text": 1}]}],
            "payload.input.context[0].content[0].text' 1: expected a string",
        ),
        ([assistant("a")], "context[0].role' 'assistant': expected user before each assistant"),
        ([user(""), assistant(""), assistant("b")], "context[2].role' 'assistant'"),
    ],
)
def test_another_shape_is_named(context: Any, text: str) -> None:
    with pytest.raises(InvalidParameter) as error:
        read_context({"context": context})
    assert text in error.value.message


JSON = st.recursive(
    st.none() | st.integers() | st.sampled_from(["user", "assistant", "text", "input_text"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "type", "text", "context"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(JSON, st.lists(st.tuples(st.booleans(), st.text(max_size=500)), max_size=12))
def test_whatever_comes_the_limits_hold(raw: Any, said: list[tuple[bool, str]]) -> None:
    messages = itertools.chain.from_iterable(
        (user(text), assistant(text)) if answered else (user(text),) for answered, text in said
    )
    for context in (raw, [*messages]):
        try:
            read = read_context({"context": context})
        except InvalidParameter:
            assert context is raw
        else:
            assert len(read) <= MOST_TURNS
            assert all(len(turn.user + turn.assistant) <= TURN_CHARACTERS for turn in read)
