"""Announcing: an event of the product's own leaves with the change that it tells of, or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from worker.messaging.context import Context
from worker.middleware.emit import Emitter, Noted
from worker.state.outbox import keep
from worker.state.timekeeping import Timekeeper
from worker.state.transaction import Transaction

T = TypeVar("T")

Beside = Callable[[Transaction], Awaitable[None]]
"""Writes what belongs to a change, in its transaction."""


class Announcing:
    """Puts events into the outbox in the transaction of a change; an event without subscribers is left out.

    Args:
        emitter: makes messages of events.
        time: of the database.
        committed: told when something is in the outbox.
    """

    def __init__(self, emitter: Emitter, time: Timekeeper, committed: Callable[[], None]) -> None:
        self._emitter = emitter
        self._time = time
        self._committed = committed

    async def with_change(self, context: Context, event: Any, change: Callable[[Beside], Awaitable[T]]) -> T:
        """Make a change, and let an event leave with it; its id follows from the message that asks for the change."""
        noted = Noted((), ())
        envelope = context.envelope
        if type(event) in self._emitter.registry.by_class:
            noted = await self._emitter.prepare(envelope, envelope.type, [(event, 0.0)])

        async def beside(transaction: Transaction) -> None:
            """Keep it for any worker: this process may be over at once."""
            if noted.parcels:
                await keep(transaction, envelope.id, noted.parcels, self._time(), "", 0.0)

        changed = await change(beside)
        if noted.parcels:
            self._committed()
        await self._emitter.handle_inline(noted.inline)
        return changed
