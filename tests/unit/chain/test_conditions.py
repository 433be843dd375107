"""Conditions: the text of a condition, and what it says about attributes."""

from __future__ import annotations

import enum
from typing import Any

import pytest

from worker.chain.conditions import Condition, applies, naming, parse, parse_all
from worker.errors import ConfigurationError


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", Condition("x", "any", (("a", False),))),
        ("!a", Condition("x", "any", (("a", True),))),
        ("a&b", Condition("x", "all", (("a", False), ("b", False)))),
        ("a&!b", Condition("x", "all", (("a", False), ("b", True)))),
        ("!a|b", Condition("x", "any", (("a", True), ("b", False)))),
        ("a&b|c", Condition("x", "all", (("a", False), ("b|c", False)))),
        (" a ", Condition("x", "any", ((" a ", False),))),
        ("exists", Condition("x", "exists")),
        ("!exists", Condition("x", "absent")),
        (1, Condition("x", "any", (("1", False),))),
        (1.0, Condition("x", "any", (("1", False),))),
        (True, Condition("x", "any", (("true", False),))),
        (Colour.RED, Condition("x", "any", (("red", False),))),
    ],
)
def test_a_condition_is_parsed_once_into_terms(text: object, expected: Condition) -> None:
    """``&`` is looked for first, ``!`` negates one part, nothing is trimmed, and values become text."""
    assert parse("x", text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "!",
            "&a",
            "a&",
            "a&&b",
            "|a",
            "a|",
            "!!a",
            "a&!",
            "exists&a",
            "a|!exists",
            None,
            ["a"],
            {"a": 1},
        ),
        *(len, lambda context: True, b"a", object(), list[int], int | str, {"a": 1}.keys()),
    ],
)
def test_a_condition_that_cannot_be_read_is_refused_by_name(text: object) -> None:
    """An empty part, an operator in front, a joined ``exists`` and a value that is no text are configuration errors."""
    with pytest.raises(ConfigurationError, match="condition x="):
        parse("x", text)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("!a", "a", False),
        ("!a", "b", True),
        ("a&b", "a", False),
        ("rest&!json_api", "rest", True),
        ("a|b", "b", True),
        ("!a|b", "c", True),
        ("a&b", ("a", "b", "c"), True),
        ("a&!b", ["a", "b"], False),
        ("a&!b", frozenset({"a"}), True),
        ("a|b", (), False),
        ("!a", (), True),
        ("exists", "a", True),
        ("exists", "", True),
        ("exists", None, False),
        ("!exists", None, False),
        ("!exists", "a", False),
        ("a", None, None),
        ("!a", None, None),
        ("1", 1, True),
        (1, "1", True),
        (2, (1, 2), True),
        ("1", 1.0, True),
        ("1.5", 1.5, True),
        ("true", True, True),
        (False, "false", True),
        ("red", Colour.RED, True),
        ("a", "A", False),
    ],
)
def test_a_condition_judges_a_value(text: object, value: object, expected: bool | None) -> None:
    """A single value is compared by value, a collection asked for membership, and null abstains."""
    assert parse("x", text).verdict({"x": value}) is expected


def test_a_condition_may_name_a_value_that_reads_like_more() -> None:
    """A plugin may be called ``exists``."""
    condition = naming("x", "exists")
    assert [condition.verdict(held) for held in ({"x": ("a",)}, {"x": ("exists",)}, {})] == [
        False,
        True,
        None,
    ]


@pytest.mark.parametrize(
    ("text", "expected"), [("a", None), ("!a", None), ("a&b", None), ("exists", False), ("!exists", True)]
)
def test_an_attribute_that_is_not_there_abstains(text: str, expected: bool | None) -> None:
    """Only ``exists`` asks for presence; everything else cannot tell."""
    assert parse("x", text).verdict({"y": "a"}) is expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"type": "A", "region": "eu"}, True),
        ({"type": "A", "region": "us"}, False),
        ({"type": "B", "region": "eu"}, False),
        ({"region": "eu"}, True),
        ({}, True),
    ],
)
def test_a_step_runs_unless_one_condition_says_no(attributes: dict[str, Any], expected: bool) -> None:
    """All conditions must hold; one that abstains lets the step run."""
    conditions = parse_all({"type": "A", "region": "eu|uk"})
    assert applies(conditions, attributes) is expected
