"""The order of the buses' chains, as data in one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from worker.chain.chain import Chain, Step, build
from worker.chain.conditions import parse_all
from worker.messaging.bus import Bus
from worker.messaging.checked import Checked
from worker.messaging.declaration import Kind, MiddlewareEntry, Registry
from worker.messaging.identity import Clock
from worker.messaging.middleware import GROUPS, Middleware

Side = Literal["dispatch", "consume"]

BUILT_IN = "built in"


def chain(
    registry: Registry,
    outer: Sequence[Step[Middleware]],
    last: Sequence[Step[Middleware]],
    *,
    received: bool = False,
) -> Chain[Middleware]:
    """Order the application's middleware between the built-in steps: ``outer`` before, ``last`` after all.

    ``received`` says that commands and events come to it from queues.

    Raises:
        ConfigurationError: a declaration that the registry has not checked is wrong.
    """
    ordered = build([step(entry, registry, received=received) for entry in registry.middleware], GROUPS)
    return Chain((*outer, *ordered.steps, *last), ordered.groups)


def step(entry: MiddlewareEntry, registry: Registry, *, received: bool = False) -> Step[Middleware]:
    """Make a declared middleware a step; where it applies becomes conditions."""
    given = {"plugins": entry.plugin, "bus": entry.bus, "on": entry.on}
    also = {attribute: value for attribute, value in given.items() if value is not None}
    when = (*parse_all(entry.when), *parse_all(also))  # one attribute may be in both: both hold
    checked = Checked(entry.name, entry.call, registry, received=received)
    return Step(entry.name, checked, entry.priority, entry.group, when)


def bus(kind: Kind, side: Side, registry: Registry, steps: Chain[Middleware], clock: Clock) -> Bus:
    """Make a bus of one kind and side."""
    fixed: dict[str, Any] = {"on": side, "plugins": registry.plugins}
    return Bus(kind, registry, steps, fixed, clock)
