"""Which steps the conditions let run: found once for each combination of what they ask that occurs.

A chain of many steps of which few apply costs what the few cost: what decides is read from the attributes, and the rest
is looked up. ``test_action_laws`` holds it against asking every condition.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from operator import eq, is_
from typing import Any, NamedTuple

from worker.chain.chain import Step
from worker.chain.compiled import ROOM
from worker.chain.conditions import ClassCondition, is_collection, text_of, texts_of

_ABSENT, _OTHER = object(), object()
_STABLE = (str, int, float, enum.Enum, type, type(None))


class Plan(NamedTuple):
    """Places of the steps that run, in order, while the attributes stay as they are."""

    places: tuple[int, ...]
    unchanged: Callable[[], bool] | None
    """Tells whether values that can change by themselves are as they were; None where there are none."""


class _Itself:
    """A class by its identity: its metaclass may say that it equals others, or has no hash."""

    __slots__ = ("_cls",)

    def __init__(self, cls: type[Any]) -> None:
        self._cls = cls

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and other._cls is self._cls

    def __hash__(self) -> int:
        return id(self._cls)


class Plans:
    """The plans of one chain.

    Args:
        steps: the chain's.

    Attributes:
        only: the plan where there are no conditions, whatever the attributes are; else None.
    """

    def __init__(self, steps: Sequence[Step[Any]]) -> None:
        self._steps = steps
        self._asked = tuple(_asked(steps).items())
        self._found: dict[tuple[object, ...], tuple[int, ...]] = {}
        self.only: Plan | None = None if self._asked else Plan(tuple(range(len(steps))), None)

    def of(self, facts: Mapping[str, Any]) -> Plan:
        """Find the steps whose conditions hold now."""
        if self.only is not None:
            return self.only
        key: list[object] = []
        watched: list[Callable[[], bool]] = []
        for attribute, texts in self._asked:
            value = facts.get(attribute, _ABSENT)
            if type(value) is str:
                key.append(value if texts is None or value in texts else _OTHER)
            elif type(value) is list and _are_texts(value):  # as most are
                key.append(frozenset(value) if texts is None else texts.intersection(value))
                watched.append(partial(eq, value, value.copy()))
            elif value is _ABSENT or value is None:
                key.append(value)
            elif is_collection(value):
                if isinstance(value, list | set) or not _is_stable(value):
                    watched.append(_watch(value))
                key.append(_parts(value, texts))
            else:
                if not isinstance(value, _STABLE):
                    watched.append(_watch(value))
                key.append(_part(value, texts))
        found = self._found.get(made := tuple(key))
        if found is None:
            found = tuple(self._applying(facts))
            if len(self._found) >= ROOM:
                del self._found[next(iter(self._found))]
            self._found[made] = found
        return Plan(found, _all(watched) if watched else None)

    def _applying(self, facts: Mapping[str, Any]) -> Iterator[int]:
        """Ask every condition; each value is written once for all of them."""
        held = {
            attribute: texts_of(value)
            for attribute, texts in self._asked
            if texts is not None and (value := facts.get(attribute)) is not None
        }
        for place, step in enumerate(self._steps):
            if all(one.verdict(facts, held.get(one.attribute)) is not False for one in step.when):
                yield place


def _asked(steps: Sequence[Step[Any]]) -> dict[str, frozenset[str] | None]:
    """By attribute the texts that conditions ask for; None where classes are asked for."""
    classes: set[str] = set()
    asked: dict[str, set[str]] = {}
    for condition in (condition for step in steps for condition in step.when):
        asked.setdefault(condition.attribute, set()).update(value for value, _ in condition.terms)
        if isinstance(condition, ClassCondition):
            classes.add(condition.attribute)
    return {name: None if name in classes else frozenset(texts) for name, texts in asked.items()}


def _part(value: object, texts: frozenset[str] | None) -> object:
    """What of a value makes a difference: the text that is asked for, the class, or that it is none of them."""
    if isinstance(value, type) and texts is None:
        kind = type(value)
        plain = kind.__hash__ is type.__hash__ and kind.__eq__ is type.__eq__
        return value if plain else _Itself(value)
    text = value if type(value) is str else text_of(value)
    return text if texts is None or text in texts else _OTHER


def _parts(values: Collection[Any], texts: frozenset[str] | None) -> frozenset[object]:
    """What of several values makes a difference."""
    if _are_texts(values):
        return frozenset(values) if texts is None else texts.intersection(values)
    return frozenset(_part(value, texts) for value in values)


def _are_texts(values: Collection[Any]) -> bool:
    """Whether there is nothing but texts."""
    return False not in map(is_, map(type, values), repeat(str))


def _is_stable(values: Collection[Any]) -> bool:
    """Whether no value can come to say something else."""
    return _are_texts(values) or all(isinstance(value, _STABLE) for value in values)


def _all(watched: Sequence[Callable[[], bool]]) -> Callable[[], bool]:
    return watched[0] if len(watched) == 1 else lambda: all(unchanged() for unchanged in watched)


def _watch(value: Any) -> Callable[[], bool]:
    """Remember what a list or set holds, or what another object says, so that it is seen when a step changes it."""
    if is_collection(value) and _is_stable(value):
        kept = list(value)
        return lambda: len(value) == len(kept) and all(map(is_, value, kept))
    said = _said(value)
    return lambda: _said(value) == said


def _said(value: Any) -> object:
    return [text_of(item) for item in value] if is_collection(value) else text_of(value)
