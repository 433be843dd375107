"""The middleware protocol: a step around the rest of the chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol, get_args

from worker.chain.compiled import Onward, Part
from worker.messaging.envelope import Envelope

CallNext = Onward[Envelope[Any]]
"""Runs the rest of the chain."""

BusPart = Part[Envelope[Any]]
"""What a step of a bus's chain holds: a middleware, or what makes one for a type of messages."""


GROUPS: Mapping[str, int] = {"receive": 200, "authorize": 100, "validate": 0, "prepare": -100, "work": -200}
"""Groups that a middleware can stand in, and their priorities; higher is outer."""

Side = Literal["dispatch", "consume"]
"""Where a bus's chain runs: as a message is sent, and as it is handled."""
SIDES: tuple[Side, ...] = get_args(Side)


class Middleware(Protocol):
    """A step of a bus's chain. Not calling ``call_next`` ends the chain there and counts as handled."""

    async def __call__(self, envelope: Envelope[Any], call_next: CallNext, /) -> Envelope[Any]:
        """Run around the rest of the chain; what it returns is the outcome."""
        ...
