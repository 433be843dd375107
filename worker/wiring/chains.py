"""The order of the buses' chains, as data in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from worker.chain.chain import Chain, Step, build
from worker.chain.conditions import parse_all
from worker.messaging.bus import Bus
from worker.messaging.checked import Checked
from worker.messaging.declaration import Kind, MiddlewareEntry, Registry
from worker.messaging.identity import Clock
from worker.messaging.middleware import Middleware

GROUPS: Mapping[str, int] = {"receive": 200, "authorize": 100, "validate": 0, "prepare": -100, "work": -200}
"""Groups that a middleware can stand in, and their priorities; higher is outer."""

Side = Literal["dispatch", "consume"]

BUILT_IN = "built in"


def chain(
    registry: Registry, outer: Sequence[Step[Middleware]], last: Sequence[Step[Middleware]]
) -> Chain[Middleware]:
    """Order the application's middleware between the built-in steps: ``outer`` before, ``last`` after all.

    Raises:
        ConfigurationError: an unknown group, a priority out of range, a condition that cannot be read.
    """
    ordered = build([step(entry, registry) for entry in registry.middleware], GROUPS)
    return Chain((*outer, *ordered.steps, *last), ordered.groups)


def step(entry: MiddlewareEntry, registry: Registry) -> Step[Middleware]:
    """Make a declared middleware a step; where it applies becomes conditions."""
    given = {"plugins": entry.plugin, "bus": entry.bus, "on": entry.on}
    when = {**entry.when, **{attribute: value for attribute, value in given.items() if value is not None}}
    return Step(
        entry.name, Checked(entry.name, entry.call, registry), entry.priority, entry.group, parse_all(when)
    )


def bus(kind: Kind, side: Side, registry: Registry, steps: Chain[Middleware], clock: Clock) -> Bus:
    """Make a bus of one kind and side."""
    fixed: dict[str, Any] = {"on": side, "plugins": registry.plugins}
    return Bus(kind, registry, steps, fixed, clock)
