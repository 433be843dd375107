"""What an application declares about its actions: steps as they were given, and as they were checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from worker.chain.chain import Step
from worker.chain.lazy import LazyStep


class ActionEntry(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A declared action; ``groups`` are names with their priorities, in order of declaration."""

    name: Any
    groups: Any


class StepEntry(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A declared step.

    Attributes:
        target: a class with ``process``, an object of one, or a function of the context.
        action: name of its action; None where it is common to all.
        group: of that action; None for none.
        priority: higher comes first.
        when: conditions by attribute.
        plugin: that it is part of.
        name: where it has one of its own; None for that of the target.
        source: file and line where it is declared; None where Python declares it.
    """

    target: Any
    action: Any = None
    group: Any = None
    priority: Any = 0
    when: Any = {}
    plugin: str | None = None
    name: str | None = None
    source: str | None = None


class DeclaredStep(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A checked step: an entry in the chain of its action, or of every action where that is None.

    ``place`` is how many entries of an application, of whatever kind, were declared before it.
    """

    step: Step[LazyStep[Any]]
    action: str | None
    entry: StepEntry
    place: int


class DeclaredAction(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A checked action and its groups; ``built_in`` where requests of resources are run by it."""

    name: str
    groups: Mapping[str, int]
    built_in: bool = False
