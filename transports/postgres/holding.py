"""What a consumer of one queue asks of the database: claims, settlements, and longer holds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Protocol

from transports.postgres.faults import OutcomeUnknown
from transports.subscription import Claimed
from worker.messaging.transport import Delivery, Settled, Settlement


class PostgresOwner(Protocol):
    """What a holding asks of its transport."""

    lease: float

    def mark(self) -> int:
        """Make the mark of a claim."""
        ...

    def claim(self, queue: str, limit: int, lease: int, doubtful: Sequence[int]) -> Awaitable[Claimed]:
        """Take messages under the mark ``lease``, and give back what was taken under ``doubtful``."""
        ...

    def settle(self, items: Sequence[Settlement]) -> asyncio.Future[Sequence[Settled]]:
        """Settle; the future never raises."""
        ...

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold for another lease."""
        ...


class Holding:
    """Claims on one queue; see ``transports.subscription.Claims``.

    A claim that was not answered may have taken messages all the same: the next claim gives these back first.
    """

    def __init__(self, owner: PostgresOwner, queue: str) -> None:
        self.lease = owner.lease
        self.settle = owner.settle
        self.extend = owner.extend
        self._owner = owner
        self._queue = queue
        self._doubtful: list[int] = []

    def claim(self, limit: int, wait: float) -> asyncio.Future[Claimed]:
        """Begin to take up to ``limit`` messages, in a task of its own: what the server does is not broken off."""
        return asyncio.get_running_loop().create_task(self._take(limit))

    async def let_go(self) -> None:
        """Nothing to do: nothing is taken ahead."""

    def waiting(self, waits: bool) -> None:
        """Nothing to do: the server tells of changes."""

    async def _take(self, limit: int) -> Claimed:
        doubtful, self._doubtful = self._doubtful, []
        lease = self._owner.mark()
        try:
            return await self._owner.claim(self._queue, limit, lease, doubtful)
        except OutcomeUnknown:
            self._doubtful += [*doubtful, lease]
            raise
        except BaseException:
            self._doubtful += doubtful
            raise
