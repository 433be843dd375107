"""The middleware protocol: a step around the rest of the chain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from worker.messaging.envelope import Envelope

CallNext = Callable[[Envelope[Any]], Awaitable[Envelope[Any]]]
"""Runs the rest of the chain."""


GROUPS: Mapping[str, int] = {"receive": 200, "authorize": 100, "validate": 0, "prepare": -100, "work": -200}
"""Groups that a middleware can stand in, and their priorities; higher is outer."""

SIDES = ("dispatch", "consume")
"""Where a bus's chain runs: as a message is sent, and as it is handled."""


class Middleware(Protocol):
    """A step of a bus's chain. Not calling ``call_next`` ends the chain there and counts as handled."""

    async def __call__(self, envelope: Envelope[Any], call_next: CallNext, /) -> Envelope[Any]:
        """Run around the rest of the chain; what it returns is the outcome."""
        ...


@runtime_checkable
class ForType(Protocol):
    """A step that finds out about a message type what it can when the type's chain is made, not with each message."""

    def for_type(self, type_name: str) -> Middleware | None:
        """Return the step for messages of one type; it may be itself, and is None where there is nothing to do."""
        ...
