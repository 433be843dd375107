"""A consumer's hold on one queue of the file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from transports.sqlite.claiming import Claim, Claimed, Extend
from transports.sqlite.operation import Operation
from transports.sqlite.settling import Settle
from transports.sqlite.writer import Writer
from worker.errors import TransportUnavailable
from worker.messaging.transport import Delivery, Release, Settled, Settlement

_LONGEST_SLEEP = 2.0
"""Seconds: the clock may be set back while somebody sleeps until a message is due."""


class Owner(Protocol):
    """What a subscription asks of its transport."""

    lease: float
    clock: Callable[[], float]

    def waiting(self, subscription: SqliteSubscription, waits: bool) -> None:
        """Wake it when its queue changes, or no more."""
        ...

    def forget(self, subscription: SqliteSubscription) -> None:
        """It is closed."""
        ...


class SqliteSubscription:
    """Claims when asked to; what was claimed for someone who no longer wants it goes back at once."""

    def __init__(self, owner: Owner, writer: Writer, queue: str) -> None:
        self.queue = queue
        self.lease = owner.lease
        self.changed = asyncio.Event()
        self._owner = owner
        self._writer = writer
        self._paused = False
        self._closed = False
        self._claims: set[Claim] = set()
        self._under_way: set[asyncio.Future[Sequence[Settled]]] = set()

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        """Take up to ``limit`` messages; wait up to ``wait`` seconds for the first.

        Raises:
            TransportUnavailable: the file does not answer; names it.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        while not self._closed:
            self.changed.clear()
            due: float | None = None
            if not self._paused and limit > 0:
                deliveries, due = await self._claim(limit)
                if deliveries:
                    return deliveries
            left = deadline - loop.time()
            if left <= 0 or self._closed:
                break
            if due is not None:
                # a tick late rather than early: a timer that fires before its time would find nothing
                left = min(left, max(due - self._owner.clock(), 0.0) + 0.001, _LONGEST_SLEEP)
            await self._sleep(left)
        return []

    async def settle(self, items: Sequence[Settlement]) -> Sequence[Settled]:
        """Settle with whatever else is settled in this turn of the loop; never raises."""
        if not items:
            return []
        return await self._settling(items)

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold them for another lease; UNKNOWN where the file does not answer."""
        if not deliveries:
            return []
        try:
            result: Sequence[Settled] = await self._writer.run(
                lambda future: Extend(future, deliveries, self.lease)
            )
        except TransportUnavailable:
            return [Settled.UNKNOWN] * len(deliveries)
        return result

    async def pause(self) -> None:
        """Stop taking; returns when what was being taken is back."""
        self._paused = True
        await self._abandon()

    async def resume(self) -> None:
        """Take again."""
        self._paused = False
        self.changed.set()

    async def close(self, grace: float) -> None:
        """Give back what is being taken, and wait up to ``grace`` seconds for settlements under way."""
        self._closed = True
        self.changed.set()
        self._owner.forget(self)
        await self._abandon()
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=grace)

    async def _claim(self, limit: int) -> Claimed:
        operation = self._writer.submit(
            lambda future: Claim(future, self.queue, limit, self.lease, self._give_back)
        )
        assert isinstance(operation, Claim)
        self._claims.add(operation)
        try:
            result: Claimed = await operation.future
        except asyncio.CancelledError:
            self._withdraw(operation)
            raise
        finally:
            self._claims.discard(operation)
        # what was withdrawn between the claim's end and this turn is on its way back
        return Claimed([], None) if operation.abandoned else result

    def _withdraw(self, claim: Claim) -> None:
        """Nobody shall have the claim's result any more: what it took, or will take, goes back."""
        if claim.abandoned:
            return
        claim.abandoned = True
        future = claim.future
        if future.done() and not future.cancelled() and future.exception() is None:
            deliveries = future.result().deliveries
            if deliveries:
                self._give_back(deliveries)

    async def _abandon(self) -> None:
        claims = tuple(self._claims)
        for claim in claims:
            self._withdraw(claim)
        if claims:
            await asyncio.wait([claim.future for claim in claims])
        if self._under_way:
            await asyncio.wait(set(self._under_way))

    def _give_back(self, deliveries: list[Delivery]) -> None:
        self._settling([Release(delivery) for delivery in deliveries])

    def _settling(self, items: Sequence[Settlement]) -> asyncio.Future[Sequence[Settled]]:
        answer: asyncio.Future[Sequence[Settled]] = asyncio.get_running_loop().create_future()
        self._under_way.add(answer)
        operation: Operation = self._writer.submit(lambda future: Settle(future, items, self._owner.clock()))

        def settled(future: asyncio.Future[Sequence[Settled]]) -> None:
            self._under_way.discard(answer)
            failed = future.cancelled() or future.exception() is not None
            if not answer.done():
                answer.set_result([Settled.UNKNOWN] * len(items) if failed else future.result())

        operation.future.add_done_callback(settled)
        return answer

    async def _sleep(self, seconds: float) -> None:
        self._owner.waiting(self, waits=True)
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            pass
        finally:
            self._owner.waiting(self, waits=False)
