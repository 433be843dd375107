"""What a consumer of one queue asks of the file's writer: claims, settlements, and longer holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from transports.orphans import Marks, Orphans
from transports.sqlite.claiming import Claim, Extend
from transports.sqlite.settling import Settle
from transports.sqlite.writer import Writer
from transports.subscription import Claimed
from worker.messaging.transport import Delivery, Settled, Settlement


class SqliteOwner(Protocol):
    """What a holding asks of its transport."""

    lease: float
    clock: Callable[[], float]

    def waiting(self, holding: object, waits: bool) -> None:
        """Hear whether a consumer waits: while one does, other processes' writes are looked for."""
        ...


class Holding:
    """Claims on one queue; see ``transports.subscription.Claims``."""

    def __init__(self, owner: SqliteOwner, writer: Writer, queue: str) -> None:
        self.lease = owner.lease
        self._owner = owner
        self._writer = writer
        self._queue = queue
        self._marks = Marks()
        self._orphans = Orphans(self._marks.place)

    def claim(self, limit: int, wait: float) -> asyncio.Future[Claimed]:
        """Begin to take up to ``limit`` messages."""
        return self._writer.submit(
            lambda future: Claim(future, self._queue, limit, self.lease, self._marks, self._orphans)
        ).future

    def settle(self, items: Sequence[Settlement]) -> asyncio.Future[Sequence[Settled]]:
        """Settle, together with what else is settled in this turn of the loop; the future never raises."""
        answer: asyncio.Future[Sequence[Settled]] = asyncio.get_running_loop().create_future()

        def settled(future: asyncio.Future[Sequence[Settled]]) -> None:
            failed = future.cancelled() or future.exception() is not None
            if not answer.done():
                answer.set_result([Settled.UNKNOWN] * len(items) if failed else future.result())

        job = self._writer.submit(lambda future: Settle(future, items, self._owner.clock()))
        job.future.add_done_callback(settled)
        return answer

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold for another lease.

        Raises:
            TransportUnavailable: the file does not answer.
        """
        result: Sequence[Settled] = await self._writer.run(
            lambda future: Extend(future, deliveries, self.lease)
        )
        return result

    async def let_go(self) -> None:
        """Nothing to do: nothing is taken ahead."""

    def waiting(self, waits: bool) -> None:
        """Tell the transport whether the consumer waits for the queue to change."""
        self._owner.waiting(self, waits)
