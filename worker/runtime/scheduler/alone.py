"""Firing alone: where no other process fires, firings are written down many at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from worker.messaging.firing import Firing, Lead, Standing
from worker.messaging.parcel import Parcel
from worker.schedules.moments import Moment

MOST = 500
"""Firings that are written down at once."""

Write = Callable[[Sequence[tuple[Firing, Sequence[Parcel]]]], Awaitable[None]]
"""Writes firings down, with what they send, in order."""


class AloneFirings:
    """Stands in the place of the store; see ``Firings``. What is not written down is lost with the process: for tests.

    Not a ``Batcher``: no answer is waited for, and the last ones are written when the caller says so.

    Args:
        write: takes firings.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._unwritten: list[tuple[Firing, Sequence[Parcel]]] = []

    async def begin(self, triggers: Mapping[str, str], now: Moment) -> Mapping[str, Standing]:
        """Tell that nothing was missed."""
        return {name: Standing(reached=now) for name in triggers}

    async def due(self, schedule: str, tick: Moment) -> bool:
        """Say that every tick is."""
        return True

    async def fire(self, firing: Firing, parcels: Sequence[Parcel], lead: Lead | None) -> bool:
        """Keep a firing; write all down when they are many."""
        self._unwritten.append((firing, parcels))
        if len(self._unwritten) >= MOST:
            await self.flush()
        return True

    async def reach(self, schedule: str, tick: Moment) -> None:
        """Nothing to note."""

    async def flush(self) -> None:
        """Write down what is kept."""
        firings, self._unwritten = self._unwritten, []
        if firings:
            await self._write(firings)
