"""A consumer's hold on one queue of a database: it claims when asked to, and what nobody wants any more goes back at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol

from worker.errors import TransportUnavailable
from worker.messaging.transport import Delivery, Release, Settled, Settlement

_LONGEST_SLEEP = 2.0
"""Seconds after which a waiting consumer looks for itself, whatever it was told: a clock may be set back meanwhile."""
_SHORTEST_SLEEP = 0.002
"""Seconds, late rather than early: a timer that fires before its time finds nothing, and a message that is due and was
not had is just being taken, or added, by somebody else."""


class Claimed(NamedTuple):
    """What a claim brought; ``next_due`` is in how many seconds to look again where it brought nothing."""

    deliveries: list[Delivery]
    next_due: float | None


class Claims(Protocol):
    """Claims on one queue, as its database keeps them.

    Attributes:
        lease: seconds that a claim holds.
    """

    lease: float

    def claim(self, limit: int) -> asyncio.Future[Claimed]:
        """Begin to take up to ``limit`` messages; nobody cancels the future, which may be ``TransportUnavailable``."""
        ...

    def settle(self, items: Sequence[Settlement]) -> asyncio.Future[Sequence[Settled]]:
        """Settle with whatever else is settled meanwhile; the answer never is an error."""
        ...

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold for another lease.

        Raises:
            TransportUnavailable: the database does not answer.
        """
        ...

    def waiting(self, waits: bool) -> None:
        """Somebody waits for the queue to change, or nobody does any more."""
        ...


class _Claim:
    """A claim under way, and whether anybody still wants what it brings."""

    def __init__(self, future: asyncio.Future[Claimed]) -> None:
        self.future = future
        self.wanted = True


class ClaimingSubscription:
    """Claims when asked to; what was claimed for someone who no longer wants it goes back at once.

    Args:
        queue: the application's name of it.
        claims: takes, holds and settles.
        forget: called when it is closed.

    Attributes:
        changed: to be set when something may have become due.
    """

    def __init__(self, queue: str, claims: Claims, forget: Callable[[ClaimingSubscription], None]) -> None:
        self.queue = queue
        self.lease = claims.lease
        self.changed = asyncio.Event()
        self._held = claims
        self._forget = forget
        self._paused = False
        self._closed = False
        self._claims: set[_Claim] = set()
        self._under_way: set[asyncio.Future[Sequence[Settled]]] = set()

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        """Take up to ``limit`` messages; wait up to ``wait`` seconds for the first.

        Raises:
            TransportUnavailable: the database does not answer; names it.
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
        """Hold them for another lease; UNKNOWN where the database does not answer."""
        if not deliveries:
            return []
        try:
            return await self._held.extend(deliveries)
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
        self._forget(self)
        await self._abandon()
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=grace)

    async def _claim(self, limit: int) -> Claimed:
        claim = _Claim(self._held.claim(limit))
        self._claims.add(claim)
        try:
            # whoever is cancelled while it waits must not break off what the database is doing
            claimed = await asyncio.shield(claim.future)
        except asyncio.CancelledError:
            self._withdraw(claim)
            raise
        except BaseException:
            self._claims.discard(claim)
            raise
        self._claims.discard(claim)
        # what was withdrawn between the claim's end and this turn is on its way back
        return claimed if claim.wanted else Claimed([], None)

    def _withdraw(self, claim: _Claim) -> None:
        """Nobody shall have the claim's result any more: what it took, or will take, goes back."""
        if claim.wanted:
            claim.wanted = False
            claim.future.add_done_callback(lambda _: self._give_back(claim))

    def _give_back(self, claim: _Claim) -> None:
        self._claims.discard(claim)
        if claim.future.exception() is None and claim.future.result().deliveries:
            self._settling([Release(delivery) for delivery in claim.future.result().deliveries])

    async def _abandon(self) -> None:
        claims = tuple(self._claims)
        for claim in claims:
            self._withdraw(claim)
        if claims:
            await asyncio.wait([claim.future for claim in claims])
            await asyncio.sleep(0)  # by then they are being given back
        if self._under_way:
            await asyncio.wait(set(self._under_way))

    def _settling(self, items: Sequence[Settlement]) -> Awaitable[Sequence[Settled]]:
        answer = self._held.settle(items)
        self._under_way.add(answer)
        answer.add_done_callback(self._under_way.discard)
        return asyncio.shield(answer)

    async def _sleep(self, seconds: float) -> None:
        self._held.waiting(True)
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            pass
        finally:
            self._held.waiting(False)
