"""A consumer's hold on one queue of the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Protocol

from transports.postgres.claiming import Claimed, new_lease
from transports.postgres.faults import OutcomeUnknown
from worker.errors import TransportUnavailable
from worker.messaging.transport import Delivery, Release, Settled, Settlement

_LONGEST_SLEEP = 2.0
"""Seconds after which a waiting consumer looks for itself, whatever it was told."""

_SHORTEST_SLEEP = 0.002
"""Seconds: a message that is due and was not had is just being taken, or added, by somebody else."""


class Owner(Protocol):
    """What a subscription asks of its transport."""

    lease: float

    def claim(self, queue: str, limit: int, lease: int, doubtful: Sequence[int]) -> Awaitable[Claimed]:
        """Take messages under the mark ``lease``, and give back what was taken under ``doubtful``."""
        ...

    def settle(self, items: Sequence[Settlement]) -> asyncio.Future[Sequence[Settled]]:
        """Settle; the answer never is an error."""
        ...

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold for another lease."""
        ...

    def forget(self, subscription: PostgresSubscription) -> None:
        """It is closed."""
        ...


class _Claim:
    """A claim under way, and whether anybody still wants what it brings."""

    def __init__(self, task: asyncio.Task[Claimed]) -> None:
        self.task = task
        self.wanted = True


class PostgresSubscription:
    """Claims when asked to; what was claimed for someone who no longer wants it goes back at once."""

    def __init__(self, owner: Owner, queue: str) -> None:
        self.queue = queue
        self.lease = owner.lease
        self.changed = asyncio.Event()
        self._owner = owner
        self._paused = False
        self._closed = False
        self._claims: set[_Claim] = set()
        self._doubtful: list[int] = []
        self._under_way: set[asyncio.Future[Sequence[Settled]]] = set()

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        """Take up to ``limit`` messages; wait up to ``wait`` seconds for the first.

        Raises:
            TransportUnavailable: the server does not answer; names it.
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
                left = min(left, max(due, 0.0) + _SHORTEST_SLEEP)
            await self._sleep(min(left, _LONGEST_SLEEP))
        return []

    async def settle(self, items: Sequence[Settlement]) -> Sequence[Settled]:
        """Settle with whatever else is settled meanwhile; never raises."""
        if not items:
            return []
        return await self._settling(items)

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold them for another lease; UNKNOWN where the server does not answer."""
        if not deliveries:
            return []
        try:
            return await self._owner.extend(deliveries)
        except TransportUnavailable:
            return [Settled.UNKNOWN] * len(deliveries)

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
        # a task of its own: whoever is cancelled while it waits must not break off what the server is doing
        claim = _Claim(asyncio.get_running_loop().create_task(self._take(limit)))
        self._claims.add(claim)
        try:
            claimed = await asyncio.shield(claim.task)
        except asyncio.CancelledError:
            self._withdraw(claim)
            raise
        except BaseException:
            self._claims.discard(claim)
            raise
        self._claims.discard(claim)
        # what was withdrawn between the claim's end and this turn is on its way back
        return claimed if claim.wanted else Claimed([], None)

    async def _take(self, limit: int) -> Claimed:
        doubtful, self._doubtful = self._doubtful, []
        lease = new_lease()
        try:
            return await self._owner.claim(self.queue, limit, lease, doubtful)
        except OutcomeUnknown:
            self._doubtful += [*doubtful, lease]
            raise
        except BaseException:
            self._doubtful += doubtful
            raise

    def _withdraw(self, claim: _Claim) -> None:
        """Nobody shall have the claim's result any more: what it took, or will take, goes back."""
        if claim.wanted:
            claim.wanted = False
            claim.task.add_done_callback(lambda _: self._give_back(claim))

    def _give_back(self, claim: _Claim) -> None:
        self._claims.discard(claim)
        if claim.task.exception() is None and claim.task.result().deliveries:
            self._settling([Release(delivery) for delivery in claim.task.result().deliveries])

    async def _abandon(self) -> None:
        claims = tuple(self._claims)
        for claim in claims:
            self._withdraw(claim)
        if claims:
            await asyncio.wait([claim.task for claim in claims])
            await asyncio.sleep(0)  # by then they are being given back
        if self._under_way:
            await asyncio.wait(set(self._under_way))

    def _settling(self, items: Sequence[Settlement]) -> Awaitable[Sequence[Settled]]:
        answer = self._owner.settle(items)
        self._under_way.add(answer)
        answer.add_done_callback(self._under_way.discard)
        return asyncio.shield(answer)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            pass
