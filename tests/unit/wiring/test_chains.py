"""The chains of the buses: built-in steps around the application's, as a table that can be shown."""

from __future__ import annotations

from typing import Any

import msgspec

from worker import App
from worker.messaging.bus import Bus
from worker.messaging.middleware import GROUPS, SIDES
from worker.wiring.chains import built_in, chain


class Go(msgspec.Struct, frozen=True):
    pass


def shop(**steps: dict[str, Any]) -> App:
    app = App("shop")
    app.command(Go)

    @app.handler
    async def go(command: Go) -> None: ...

    for name, options in steps.items():

        async def step(envelope: Any, call_next: Any) -> Any:
            return await call_next(envelope)

        step.__name__ = step.__qualname__ = name
        app.middleware(**options)(step)
    return app


async def last(envelope: Any, call_next: Any) -> Any:
    return envelope


def test_the_application_stands_between_the_built_in_steps() -> None:
    """Built-in steps from 0 up, then ungrouped, groups by priority, ungrouped below 0, built-in steps below 0."""
    registry = shop(
        late={"priority": -1},
        work={"group": "work"},
        receive={"group": "receive"},
        validate={"group": "validate"},
        early={},
    ).registry()
    ordered = chain(registry, [built_in("route", last, -10), built_in("track", last, 0)])
    made = Bus("command", "dispatch", registry, ordered, lambda: 0.0)
    names = [step.name.rpartition(".")[2] for step in made.steps_for("Go")]
    assert names == ["track", "early", "receive", "validate", "work", "late", "route"]
    assert ordered.groups == tuple(sorted(GROUPS, key=lambda name: -GROUPS[name]))


def test_a_built_in_step_in_a_group_stands_before_its_equals() -> None:
    """Among the application's by priority."""
    registry = shop(
        low={"group": "authorize", "priority": -1}, equal={"group": "authorize"}, free={}
    ).registry()
    ordered = chain(registry, [built_in("authorize", last, 0, group="authorize")])
    names = [step.name.rpartition(".")[2] for step in ordered.steps]
    assert names == ["free", "authorize", "equal", "low"]


def test_what_is_given_twice_holds_twice() -> None:
    """``bus=`` and ``on=`` narrow a condition on the same attribute, and do not take its place."""
    registry = shop(a={"on": "dispatch", "when": {"on": "dispatch|consume"}}).registry()
    ordered = chain(registry, ())
    buses = [Bus("command", side, registry, ordered, lambda: 0.0) for side in SIDES]
    assert [len(bus.steps_for("Go")) for bus in buses] == [1, 0]
