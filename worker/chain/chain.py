"""A chain: steps in groups, by priority, each with conditions; the order is data and can be printed.

Order: common steps of priority 0 and more, ungrouped ones of 0 and more, the groups by their priority and inside each
by the step's, ungrouped steps below 0, common steps below 0. Higher comes first; equals keep the order of registration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from worker.chain.conditions import Condition, applies
from worker.errors import ConfigurationError

S = TypeVar("S")

PRIORITY_LIMIT = 255
"""Priorities of groups, and of steps inside a group, lie within plus and minus this."""


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """One entry of a chain: what runs, its name, and where and when it runs.

    A ``common`` step belongs to no chain in particular: it stands outside all that do, at any priority, and in no group.
    ``plugin`` names the one that it is part of, for readers of the chain; a condition says when it runs.
    """

    name: str
    run: S
    priority: int = 0
    group: str | None = None
    when: tuple[Condition, ...] = ()
    common: bool = False
    plugin: str | None = None

    def applies(self, attributes: Mapping[str, Any]) -> bool:
        """Tell whether every condition lets the step run now."""
        return applies(self.when, attributes)


@dataclass(frozen=True, slots=True)
class Chain(Generic[S]):
    """Steps in the order they run; frozen, so that nothing can be added after the first use."""

    steps: tuple[Step[S], ...] = ()
    groups: tuple[str, ...] = field(default=())

    def where(self, facts: Mapping[str, Any]) -> Chain[S]:
        """Leave out the steps that can never run where ``facts`` hold, and drop the conditions that they decide."""
        kept = []
        for step in self.steps:
            decided = [condition for condition in step.when if condition.attribute in facts]
            if applies(decided, facts):
                left = tuple(condition for condition in step.when if condition.attribute not in facts)
                kept.append(replace(step, when=left))
        return Chain(tuple(kept), self.groups)

    def place_of(self, group: str) -> int | None:
        """Place of the first step of a group or of what follows it; None where the chain has no such group."""
        if group not in self.groups:
            return None
        wanted = self.groups.index(group)
        return next(
            (at for at, step in enumerate(self.steps) if self._section(step) >= wanted), len(self.steps)
        )

    def part(self, start: str | None = None, before: str | None = None) -> Chain[S]:
        """Keep the steps from a group on, or from the beginning, that come before another, or until the end.

        Raises:
            KeyError: there is no such group.
        """
        first = -1 if start is None else self._index(start)
        end = len(self.groups) + 1 if before is None else self._index(before)
        return Chain(tuple(step for step in self.steps if first <= self._section(step) < end), self.groups)

    def _index(self, group: str) -> int:
        if group not in self.groups:
            raise KeyError(group)
        return self.groups.index(group)

    def _section(self, step: Step[S]) -> int:
        """Place of a step's group; of steps without one before all groups, or behind them."""
        if step.group is not None:
            return self.groups.index(step.group)
        return -1 if step.priority >= 0 else len(self.groups)

    def values_of(self, attribute: str) -> frozenset[str]:
        """Values that conditions on an attribute ask for."""
        return frozenset(
            value
            for step in self.steps
            for condition in step.when
            if condition.attribute == attribute
            for value, _ in condition.terms
        )


def build(steps: Iterable[Step[S]], groups: Mapping[str, int] | None = None) -> Chain[S]:
    """Order steps into a chain.

    Args:
        steps: in order of registration.
        groups: the declared groups and their priorities.

    Raises:
        ConfigurationError: an undeclared group, a priority out of range, two groups of one priority, a common step
            in a group.
    """
    declared = dict(groups or {})
    listed = list(steps)
    faults = [*_group_faults(declared), *_step_faults(listed, declared)]
    if faults:
        raise ConfigurationError(faults)
    ordered_groups = sorted(declared, key=lambda name: -declared[name])
    places = {name: place for place, name in enumerate(ordered_groups)}
    return Chain(tuple(sorted(listed, key=lambda step: _place(step, places))), tuple(ordered_groups))


def _place(step: Step[Any], groups: Mapping[str, int]) -> tuple[int, int, int]:
    """Section of the chain, place of the group in its section, and then higher priorities first."""
    if step.group is not None:
        return 0, groups[step.group], -step.priority
    away = 2 if step.common else 1
    return (-away if step.priority >= 0 else away), 0, -step.priority


def _group_faults(groups: Mapping[str, int]) -> list[str]:
    faults = [
        f"group {name!r}: priority {priority} is outside ±{PRIORITY_LIMIT}"
        for name, priority in groups.items()
        if abs(priority) > PRIORITY_LIMIT
    ]
    if len(set(groups.values())) < len(groups):
        faults.append(f"groups {dict(groups)}: two groups share a priority")
    return faults


def _step_faults(steps: Sequence[Step[Any]], groups: Mapping[str, int]) -> list[str]:
    faults = []
    for step in steps:
        if step.group is not None and step.common:
            faults.append(f"step {step.name!r}: common, and in group {step.group!r}; expected one of them")
        elif step.group is not None and step.group not in groups:
            known = ", ".join(groups) or "none"
            faults.append(f"step {step.name!r}: unknown group {step.group!r}; known: {known}")
        elif step.group is not None and abs(step.priority) > PRIORITY_LIMIT:
            faults.append(
                f"step {step.name!r}: priority {step.priority} in a group is outside ±{PRIORITY_LIMIT}"
            )
    return faults
