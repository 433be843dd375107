"""The chains of the buses: built-in steps around the application's, as a table that can be shown."""

from __future__ import annotations

from typing import Any

import msgspec

from worker import App
from worker.chain.chain import Step
from worker.messaging.middleware import GROUPS
from worker.wiring.chains import bus, chain


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


async def built_in(envelope: Any, call_next: Any) -> Any:
    return envelope


def test_the_application_stands_between_the_built_in_steps() -> None:
    """Outer built-in steps first, then ungrouped, groups by priority, ungrouped below 0, the last steps last."""
    registry = shop(
        late={"priority": -1},
        work={"group": "work"},
        receive={"group": "receive"},
        validate={"group": "validate"},
        early={},
    ).registry()
    ordered = chain(registry, [Step("track", built_in)], [Step("route", built_in)])
    made = bus("command", "dispatch", registry, ordered, lambda: 0.0)
    names = [step.name.rpartition(".")[2] for step in made.steps_for("Go")]
    assert names == ["track", "early", "receive", "validate", "work", "late", "route"]
    assert ordered.groups == tuple(sorted(GROUPS, key=lambda name: -GROUPS[name]))


def test_what_is_given_twice_holds_twice() -> None:
    """``bus=`` and ``on=`` narrow a condition on the same attribute, and do not take its place."""
    registry = shop(a={"on": "dispatch", "when": {"on": "dispatch|consume"}}).registry()
    ordered = chain(registry, (), ())
    for side, count in (("dispatch", 1), ("consume", 0)):
        assert len(bus("command", side, registry, ordered, lambda: 0.0).steps_for("Go")) == count  # type: ignore[arg-type]
