"""Conditions on attributes: ``a&!b``, ``a|b``, ``exists``; parsed once, asked just before a step.

The rules are those of Oro's ChainProcessor, with one change: values compare by value (``1``, ``1.0`` and
``"1"`` are equal, true is ``true``, an enum's member is its value).
An attribute that the context does not have abstains, so the step runs, also for ``!x``; only ``exists``
asks for presence.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from worker.errors import ConfigurationError

Verdict = bool | None
"""True: applies. False: does not. None: abstains, which lets the step run."""

Mode = Literal["all", "any", "exists", "absent"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One attribute's condition: ``terms`` are (value, negated) pairs, joined by ``mode``."""

    attribute: str
    mode: Mode
    terms: tuple[tuple[str, bool], ...] = ()

    @property
    def text(self) -> str:
        """The condition as it is written."""
        if self.mode in {"exists", "absent"}:
            return "exists" if self.mode == "exists" else "!exists"
        return ("&" if self.mode == "all" else "|").join(
            f"{'!' if no else ''}{term}" for term, no in self.terms
        )

    def verdict(self, attributes: Mapping[str, Any]) -> Verdict:
        """Say whether the condition holds for ``attributes``; None when it cannot tell."""
        present = self.attribute in attributes
        value = attributes.get(self.attribute)
        if self.mode == "exists":
            return value is not None
        if self.mode == "absent":
            return not present
        if value is None:
            return None
        held = {_text(item) for item in value} if _is_collection(value) else {_text(value)}
        answers = ((term in held) is not negated for term, negated in self.terms)
        return all(answers) if self.mode == "all" else any(answers)


def parse(attribute: str, text: object) -> Condition:
    """Read one condition.

    Raises:
        ConfigurationError: an empty part, an operator in front, ``exists`` joined with others, or no text,
            number or boolean at all.
    """
    if text is None or _is_collection(text) or isinstance(text, Mapping):
        raise ConfigurationError(
            f"condition {attribute}={text!r}: expected text such as 'a|b', a number or a boolean"
        )
    source = _text(text)
    where = f"condition {attribute}={source!r}"
    if source in {"exists", "!exists"}:
        return Condition(attribute, "exists" if source == "exists" else "absent")
    mode: Mode = "all" if "&" in source else "any"
    parts = source.split("&" if mode == "all" else "|")
    terms = tuple((part.removeprefix("!"), part.startswith("!")) for part in parts)
    if any(not value or value.startswith("!") for value, _ in terms):
        raise ConfigurationError(
            f"{where}: an empty part; write values joined by & or by |, each with at most one !"
        )
    if len(terms) > 1 and any(value == "exists" for value, _ in terms):
        raise ConfigurationError(f"{where}: exists cannot be joined with other values")
    return Condition(attribute, mode, terms)


def parse_all(conditions: Mapping[str, object]) -> tuple[Condition, ...]:
    """Read a mapping of attribute to condition text; all of them must hold."""
    return tuple(parse(attribute, text) for attribute, text in conditions.items())


def applies(conditions: Iterable[Condition], attributes: Mapping[str, Any]) -> bool:
    """Tell whether no condition says no."""
    return all(condition.verdict(attributes) is not False for condition in conditions)


def _is_collection(value: object) -> bool:
    return isinstance(value, (list, tuple, set, frozenset))


def _text(value: object) -> str:
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return value
    if isinstance(value, enum.Enum):
        return _text(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
