"""Health checks of an application's own: how they are declared, and what is wrong with their declarations."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from worker.messaging.declaration import HealthCheck
from worker.messaging.declaring.declarations import Declares
from worker.messaging.declaring.draft import Draft
from worker.messaging.declaring.functions import function_of, generator_fault, name_of
from worker.messaging.declaring.messages import NAME

T = TypeVar("T")

_OWN = ("database", "transport.")
"""How the names of the product's own parts begin in the health document."""


class DeclaresHealth(Declares):
    """The decorator of health checks."""

    def health(self, name: str) -> Callable[[T], T]:
        """Declare what says whether something is well: ``async def catalog() -> bool``, or ``def``.

        It joins ``status`` of the health document under this name, and is asked each time that the document is. Where it
        raises or takes too long, the answer is False.
        """

        def decorate(call: T) -> T:
            self._declared.add(HealthCheck(name=name, call=call, is_async=_is_async(call)))  # type: ignore[arg-type]  # checked at start
            return call

        return decorate


def check_health(draft: Draft) -> None:
    """Check names and functions."""
    checks = draft.declared.of(HealthCheck)
    seen: set[Any] = set()
    for check in checks:
        name: Any = check.name
        where = f"health check {name!r}"
        if not isinstance(name, str) or not NAME.fullmatch(name) or name.startswith(_OWN):
            draft.faults.append(
                f"{where}: expected a name of letters, digits, '.', '-' or '_' that is not the product's own; "
                'write @app.health("catalog")'
            )
            continue
        if name in seen:
            draft.faults.append(f"{where}: declared twice")
        seen.add(name)
        draft.faults.extend(f"{where}: {fault}" for fault in _faults(check.call))
    draft.keep(HealthCheck, checks)


def _is_async(call: Any) -> bool:
    return callable(call) and inspect.iscoroutinefunction(function_of(call))


def _faults(call: Any) -> list[str]:
    if not callable(call) or isinstance(call, type):
        return ["expected a function without parameters"]
    fault = generator_fault(call)
    if fault is not None:
        return [fault]
    required = [
        p
        for p in inspect.signature(call).parameters.values()
        if p.default is p.empty and p.kind < p.VAR_POSITIONAL
    ]
    return [f"{name_of(call)} takes parameters; expected none"] if required else []
