"""The bench a transport is tested on: connections to one broker, a clock, and short words for long calls."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import pytest

from tests.conformance.clock import Clock
from tests.conformance.waiting import PATIENCE
from worker.messaging.transport import (
    Ack,
    Delivery,
    Depth,
    Features,
    Outcome,
    Outgoing,
    QueueSpec,
    Settled,
    Settlement,
    Subscription,
    Transport,
)

QUEUE = QueueSpec(name="shop-place-order", types=("PlaceOrder",), keyed=True)
QUIET = 0.05
"""Seconds of waiting after which a queue counts as empty."""


class Bench:
    """One broker under test.

    Args:
        make: makes a connection to the broker; called again for every further one.
        clock: moved by ``passes``; None where the broker has its own, then time really passes.
        pace: how long a scenario's second then lasts, in seconds; ``make`` wraps its transports in ``Paced``.
        ages: what then passes for longer than any lease, in seconds.
    """

    def __init__(
        self, make: Callable[[], Transport], clock: Clock | None, pace: float = 1.0, ages: float = 0.5
    ) -> None:
        self.clock = clock
        self._pace = pace
        self._ages = ages
        self._make = make
        self._transports: list[Transport] = []
        self._numbers = itertools.count(1)
        self.transport = make()

    @property
    def features(self) -> Features:
        return self.transport.features

    @property
    def keeps_place(self) -> bool:
        """Whether the next attempt of a message with a key waits where that one is."""
        return self.features.replaces or self.features.retries_in_place is not None

    async def open(self, *queues: QueueSpec) -> None:
        self._transports.append(self.transport)
        await self.transport.connect()
        await self.transport.setup(queues or (QUEUE,))

    async def close(self) -> None:
        for transport in self._transports:
            await transport.close()

    async def another(self) -> Transport:
        """A second connection, as another process has it; the same one where the broker cannot be shared."""
        if not self.features.shared:
            return self.transport
        transport = self._make()
        self._transports.append(transport)
        await transport.connect()
        return transport

    async def restart(self) -> None:
        """Let go of every connection, and open a new one."""
        await self.close()
        self._transports.clear()
        if self.features.durable:
            self.transport = self._make()
        self._transports.append(self.transport)
        await self.transport.connect()

    def require(self, supported: bool, lacking: str) -> None:
        """Skip, and say so, where the transport declares that it cannot do this."""
        if not supported:
            _skip(f"{self.transport.name}: {lacking}")

    async def passes(self, seconds: float) -> None:
        """Let time pass."""
        if self.clock is None:
            # from a minute on a scenario means "longer than any lease"; nothing is delayed for that long
            await asyncio.sleep(seconds * self._pace if seconds < 60 else self._ages)
            return
        self.clock.advance(seconds)
        for transport in self._transports:
            transport.wake()  # type: ignore[attr-defined]  # there wherever a clock is taken

    def now(self) -> float:
        """Seconds as the scenarios count them."""
        return self.clock() if self.clock is not None else asyncio.get_running_loop().time() / self._pace

    def message(self, **changes: Any) -> Outgoing:
        """A message like many others; every call has its own id."""
        number = next(self._numbers)
        facts: dict[str, Any] = {
            "queue": QUEUE.name,
            "id": f"message-{number:06d}",
            "type": "PlaceOrder",
            "body": b'{"number": %d}' % number,
        }
        return Outgoing(**(facts | changes))

    async def publish(self, *messages: Outgoing, over: Transport | None = None) -> Sequence[Outcome]:
        """Publish, all accepted."""
        outcomes = await (over or self.transport).publish(messages)
        assert [outcome.kind.value for outcome in outcomes] == ["accepted"] * len(messages)
        return outcomes

    async def subscribe(self, queue: QueueSpec = QUEUE, over: Transport | None = None) -> Subscription:
        """Subscribe; where the broker deals out partitions, wait until it has."""
        transport = over or self.transport
        subscription = await transport.subscribe(queue, slots=100)
        if not await transport.missing([queue]):
            await dealt_out(subscription)
        return subscription

    async def rival(self, queue: QueueSpec = QUEUE) -> Subscription:
        """A subscription that competes for every single message with those of the first connection.

        Where whole partitions are shared out, that is one of the same connection.
        """
        if self.features.shares == "partition":
            return await self.subscribe(queue)
        return await self.subscribe(queue, over=await self.another())

    async def depth(self, queue: QueueSpec = QUEUE) -> Depth:
        counted = await self.transport.depth([queue.name])  # type: ignore[attr-defined]  # asked for by Features.depth
        return counted[queue.name]


async def dealt_out(subscription: Subscription) -> None:
    """Wait, where the broker deals out partitions, until it has: what is there is handed out then."""
    joined = getattr(subscription, "joined", None)
    if joined is not None:
        async with asyncio.timeout(PATIENCE):
            await joined()


async def take(subscription: Subscription, count: int) -> list[Delivery]:
    """Receive exactly ``count`` messages, within the deadline."""
    taken: list[Delivery] = []
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    while len(taken) < count:
        assert loop.time() < deadline, f"{len(taken)} of {count} messages came within {PATIENCE:g} s"
        taken.extend(await subscription.receive(count - len(taken), 0.5))
    assert len(taken) == count, f"receive gave {len(taken)} messages, {count} were asked for"
    return taken


async def empty(subscription: Subscription) -> bool:
    """Whether nothing is handed out."""
    return not await subscription.receive(10, QUIET)


async def settle(subscription: Subscription, *items: Settlement) -> None:
    """Settle, all done."""
    assert list(await subscription.settle(items)) == [Settled.DONE] * len(items)


async def ack(subscription: Subscription, deliveries: Sequence[Delivery]) -> None:
    await settle(subscription, *(Ack(delivery) for delivery in deliveries))


def _skip(reason: str) -> NoReturn:
    pytest.skip(reason)
