"""A chain: steps in groups, by priority, each with conditions; the order is data and can be printed.

Order: ungrouped steps of priority 0 and more, then the groups by their priority and inside each by the
step's, then ungrouped steps below 0. Higher comes first; equals keep the order of registration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from worker.chain.conditions import Condition, applies
from worker.errors import ConfigurationError

S = TypeVar("S")

PRIORITY_LIMIT = 255
"""Priorities of groups, and of steps inside a group, lie within plus and minus this."""


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """One entry of a chain: what runs, its name, and where and when it runs."""

    name: str
    run: S
    priority: int = 0
    group: str | None = None
    when: tuple[Condition, ...] = ()

    def applies(self, attributes: Mapping[str, Any]) -> bool:
        """Tell whether every condition lets the step run now."""
        return applies(self.when, attributes)


@dataclass(frozen=True, slots=True)
class Chain(Generic[S]):
    """Steps in the order they run; frozen, so that nothing can be added after the first use."""

    steps: tuple[Step[S], ...] = ()
    groups: tuple[str, ...] = field(default=())

    def compiled_for(self, fixed: Mapping[str, Any]) -> Chain[S]:
        """Leave out the steps that can never run where ``fixed`` holds, and drop the conditions it decides."""
        kept = []
        for step in self.steps:
            verdicts = [
                (condition, condition.verdict(fixed))
                for condition in step.when
                if condition.attribute in fixed
            ]
            if any(verdict is False for _, verdict in verdicts):
                continue
            open_ = tuple(condition for condition in step.when if condition.attribute not in fixed)
            kept.append(Step(step.name, step.run, step.priority, step.group, open_))
        return Chain(tuple(kept), self.groups)


def build(steps: Iterable[Step[S]], groups: Mapping[str, int] | None = None) -> Chain[S]:
    """Order steps into a chain.

    Args:
        steps: in order of registration.
        groups: the declared groups and their priorities.

    Raises:
        ConfigurationError: an undeclared group, a priority out of range, two groups of one priority.
    """
    declared = dict(groups or {})
    listed = list(steps)
    faults = [*_group_faults(declared), *_step_faults(listed, declared)]
    if faults:
        raise ConfigurationError(faults)
    ordered_groups = sorted(declared, key=lambda name: -declared[name])
    head = [step for step in listed if step.group is None and step.priority >= 0]
    tail = [step for step in listed if step.group is None and step.priority < 0]
    middle = [step for name in ordered_groups for step in _sorted(s for s in listed if s.group == name)]
    return Chain((*_sorted(head), *middle, *_sorted(tail)), tuple(ordered_groups))


def _sorted(steps: Iterable[Step[S]]) -> list[Step[S]]:
    by_priority: Callable[[Step[S]], int] = lambda step: -step.priority  # noqa: E731 - sort key with a type
    return sorted(steps, key=by_priority)


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
        if step.group is not None and step.group not in groups:
            known = ", ".join(groups) or "none"
            faults.append(f"step {step.name!r}: unknown group {step.group!r}; known: {known}")
        elif step.group is not None and abs(step.priority) > PRIORITY_LIMIT:
            faults.append(
                f"step {step.name!r}: priority {step.priority} in a group is outside ±{PRIORITY_LIMIT}"
            )
    return faults
