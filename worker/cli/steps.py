"""The steps of actions, for looking at: filtered by what a context would hold, and written out."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from worker.chain.chain import Chain, Step
from worker.chain.conditions import CLASSES, ClassCondition
from worker.chain.declared import DeclaredStep

COLUMNS = ("step", "priority", "group", "when", "source", "plugin")
"""Of a table of steps."""

_OWN = "worker."
_WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None}


def read_attributes(given: Iterable[str], request_types: Sequence[str]) -> dict[str, Any]:
    """Read ``name:value`` options: true, false, null, a list like ``[a,b]``, else text.

    A trailing underscore of a name is dropped, as where a run is given it.

    Raises:
        click.BadParameter: one has no name or no colon, or is given twice.
    """
    facts: dict[str, Any] = {"request_type": list(request_types)} if request_types else {}
    for text in given:
        name, colon, value = text.partition(":")
        name = name.removesuffix("_") or name
        if not colon or not name:
            raise click.BadParameter(
                f"{text!r}: expected NAME:VALUE, like format:json", param_hint="--attribute"
            )
        if name in facts:
            raise click.BadParameter(
                f"{name!r} is given twice; expected {name}:[1,2]", param_hint="--attribute"
            )
        facts[name] = _value(value)
    return facts


def shown(chain: Chain[Any], facts: Mapping[str, Any], group: str | None) -> list[Step[Any]]:
    """Keep the steps that may run where these facts hold, with their conditions as they are written."""
    known = {**facts, **_classes(facts, chain)}
    return [
        step
        for step in chain.steps
        if (group is None or step.group == group)
        and all(one.verdict(known) is not False for one in step.when if one.attribute in known)
    ]


def row(step: Step[Any], declared: Mapping[int, DeclaredStep]) -> tuple[Any, ...]:
    """Write a step out under ``COLUMNS``."""
    said = declared.get(id(step))
    own = step.name.startswith(_OWN)
    source = (said and said.entry.source) or ("built in" if own else "application")
    when = ", ".join(f"{one.attribute}: {one.text}" for one in step.when)
    return step.name, step.priority, step.group, when, source, step.plugin


def description(declared: DeclaredStep | None) -> str:
    """First line of what a step's class or function says of itself."""
    text = None if declared is None else inspect.getdoc(declared.entry.target)
    return text.strip().partition("\n")[0] if text else ""


def _value(text: str) -> Any:
    if text.startswith("[") and text.endswith("]"):
        return [part.strip() for part in text[1:-1].split(",") if part.strip()]
    return _WORDS.get(text, text)


def _classes(facts: Mapping[str, Any], chain: Chain[Any]) -> dict[str, Any]:
    """Find the classes that texts name, of those that are there: a subclass is told from others by what it is."""
    asked = {
        one.attribute: [
            other.cls for step in chain.steps for other in step.when if isinstance(other, ClassCondition)
        ]
        for step in chain.steps
        for one in step.when
        if isinstance(one, ClassCondition)
    }
    found = {}
    for attribute in {*asked, *CLASSES} & {name for name, value in facts.items() if isinstance(value, str)}:
        cls = _class_named(facts[attribute], [cls for cls in asked.get(attribute, ()) if cls is not None])
        if cls is not None:
            found[attribute] = cls
    return found


def _class_named(text: str, conditions: Iterable[type[Any]]) -> type[Any] | None:
    """The class of a name, where its module is loaded or a condition names it itself."""
    path = text.strip("\\").replace("\\", ".")
    module, _, name = path.rpartition(".")
    found = getattr(sys.modules.get(module), name, None)
    if isinstance(found, type):
        return found
    return next((cls for cls in conditions if path in {cls.__name__, cls.__qualname__}), None)
