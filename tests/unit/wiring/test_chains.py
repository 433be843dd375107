"""The chains of the buses: built-in steps around the application's, as a table that can be shown."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from worker import App, ConfigurationError
from worker.chain.chain import Step
from worker.wiring.chains import GROUPS, bus, chain


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


def test_faults_of_all_steps_come_in_one_error() -> None:
    """An unknown group and a priority out of range are told together."""
    registry = shop(a={"group": "nowhere"}, b={"group": "work", "priority": 300}).registry()
    with pytest.raises(ConfigurationError) as caught:
        chain(registry, (), ())
    assert len(caught.value.faults) == 2
