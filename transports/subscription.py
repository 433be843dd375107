"""A consumer's hold on one queue: it claims when asked to, and gives back at once what is not wanted any more.

It never waits long for a claim that is not wanted any more: where that takes its time, as a poll of a service may, it is
left to run, and what it brings is given back when it comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol

from worker.errors import TransportUnavailable
from worker.messaging.transport import Delivery, Release, Settled, Settlement

_LONGEST_SLEEP = 2.0
"""Seconds after which a waiting consumer looks by itself, whatever it was told: a clock may have been set back."""
_LONGEST_CLAIM = 2.0
"""Seconds that a pause or a close waits for what is being claimed."""
_SHORTEST_SLEEP = 0.002
"""Seconds that are added to the time until a message is due. A timer that fires too early finds nothing; and a message
that is due but could not be claimed is just being taken by another consumer, or added."""


class Claimed(NamedTuple):
    """What a claim brought. Where it brought nothing, ``next_due`` says in how many seconds to look again."""

    deliveries: list[Delivery]
    next_due: float | None


class Claims(Protocol):
    """Claims on one queue, as its broker keeps them.

    Attributes:
        lease: seconds that a claim holds.
    """

    lease: float

    def claim(self, limit: int, wait: float) -> asyncio.Future[Claimed]:
        """Begin to take up to ``limit`` messages. The future may raise ``TransportUnavailable``; callers never cancel it.

        It ends by itself within seconds. ``wait`` is how long, in seconds, the caller waits in all for something to come.
        """
        ...

    def settle(self, items: Sequence[Settlement]) -> asyncio.Future[Sequence[Settled]]:
        """Settle, together with what else is settled meanwhile; the future never raises."""
        ...

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold for another lease.

        Raises:
            TransportUnavailable: the broker does not answer.
        """
        ...

    async def let_go(self) -> None:
        """No claim follows for now: give back what was taken ahead; returns when that is back."""
        ...

    def waiting(self, waits: bool) -> None:
        """Hear whether the consumer waits for the queue to change (``waits``), or does not any more."""
        ...


class _Claim:
    """A claim under way, and whether what it brings is still wanted."""

    def __init__(self, future: asyncio.Future[Claimed]) -> None:
        self.future = future
        self.wanted = True


class ClaimingSubscription:
    """Claims when asked to; what was claimed for a caller that no longer wants it goes back at once.

    Args:
        queue: the application's name of it.
        claims: takes, holds and settles.
        forget: called when it is closed.
        changed: an event that the transport shares among subscriptions; by default one of this subscription's own.

    Attributes:
        changed: to be set when something may have become due.
    """

    def __init__(
        self,
        queue: str,
        claims: Claims,
        forget: Callable[[ClaimingSubscription], None],
        changed: asyncio.Event | None = None,
    ) -> None:
        self.queue = queue
        self.lease = claims.lease
        self.changed = changed or asyncio.Event()
        self._held = claims
        self._forget = forget
        self._paused = False
        self._closed = False
        self._claims: set[_Claim] = set()
        self._under_way: set[asyncio.Future[Sequence[Settled]]] = set()

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        """Take up to ``limit`` messages; wait up to ``wait`` seconds for the first.

        Raises:
            TransportUnavailable: the broker does not answer; names it.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        while not self._closed:
            self.changed.clear()
            due: float | None = None
            if not self._paused and limit > 0:
                deliveries, due = await self._claim(limit, wait)
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
        """Settle, together with what else is settled meanwhile; never raises."""
        if not items:
            return []
        return await self._settling(items)

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold them for another lease; UNKNOWN where the broker does not answer."""
        if not deliveries:
            return []
        try:
            return await self._held.extend(deliveries)
        except TransportUnavailable:
            return [Settled.UNKNOWN] * len(deliveries)

    async def pause(self) -> None:
        """Stop taking; returns when what was taken is back. What a slow claim brings goes back when it comes."""
        self._paused = True
        await self._abandon(None)

    async def resume(self) -> None:
        """Take again."""
        self._paused = False
        self.changed.set()

    async def close(self, grace: float) -> None:
        """Give back what is being taken, and wait up to ``grace`` seconds for settlements under way."""
        self._closed = True
        self.changed.set()
        self._forget(self)
        await self._abandon(grace)

    async def _claim(self, limit: int, wait: float) -> Claimed:
        claim = _Claim(self._held.claim(limit, wait))
        self._claims.add(claim)
        try:
            # a caller that is cancelled while it waits must not break off what the broker is doing
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
        """Give the claim's result to no caller any more: what it took, or will take, goes back."""
        if claim.wanted:
            claim.wanted = False
            claim.future.add_done_callback(lambda _: self._give_back(claim))

    def _give_back(self, claim: _Claim) -> None:
        self._claims.discard(claim)
        if claim.future.exception() is None and claim.future.result().deliveries:
            self._settling([Release(delivery) for delivery in claim.future.result().deliveries])

    async def _abandon(self, grace: float | None) -> None:
        claims = tuple(self._claims)
        for claim in claims:
            self._withdraw(claim)
        if claims:
            await asyncio.wait([claim.future for claim in claims], timeout=_LONGEST_CLAIM)
            await asyncio.sleep(0)  # by then they are being given back
        try:
            async with asyncio.timeout(grace):
                await self._held.let_go()
                if self._under_way:
                    await asyncio.wait(set(self._under_way))
        except TimeoutError:
            pass  # they go on by themselves

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
