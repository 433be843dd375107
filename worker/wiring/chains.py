"""The order of the buses' chain: the product's own steps, and between them the application's middleware."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from worker.chain.chain import Chain, Step, build
from worker.chain.conditions import naming, parse_all
from worker.messaging.checked import Checked
from worker.messaging.declaration import MiddlewareEntry, Registry
from worker.messaging.middleware import GROUPS, BusPart

BUILT_IN = "built in"


def chain(registry: Registry, own: Iterable[Step[BusPart]]) -> Chain[BusPart]:
    """Order the product's own steps and the application's middleware.

    Raises:
        ConfigurationError: a declaration that the registry has not checked is wrong.
    """
    return build([*own, *(_step(entry, registry) for entry in registry.middleware)], GROUPS)


def built_in(
    name: str,
    run: BusPart,
    priority: int,
    when: Mapping[str, object] | None = None,
    group: str | None = None,
) -> Step[BusPart]:
    """Make a step of the product's own: without a group, outside of all middleware at 0 and more, inside of it below 0.

    In a group it stands among the application's, before its equals.
    """
    return Step(f"worker.{name}", run, priority, group, parse_all(when or {}), common=group is None)


def _step(entry: MiddlewareEntry, registry: Registry) -> Step[BusPart]:
    """Make a declared middleware a step; where it applies becomes conditions."""
    given = {"plugins": entry.plugin, "bus": entry.bus, "on": entry.on}
    also = (naming(attribute, value) for attribute, value in given.items() if value is not None)
    when = (*parse_all(entry.when), *also)  # one attribute may be in both: both hold
    run = Checked(entry.name, entry.call, registry)
    return Step(entry.name, run, entry.priority, entry.group, when, plugin=entry.plugin)
