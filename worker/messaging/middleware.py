"""The middleware protocol: a step around the rest of the chain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from worker.messaging.envelope import Envelope

CallNext = Callable[[Envelope[Any]], Awaitable[Envelope[Any]]]
"""Runs the rest of the chain."""


class Middleware(Protocol):
    """A step of a bus's chain. Not calling ``call_next`` ends the chain there and counts as handled."""

    async def __call__(self, envelope: Envelope[Any], call_next: CallNext, /) -> Envelope[Any]:
        """Run around the rest of the chain; what it returns is the outcome."""
        ...
