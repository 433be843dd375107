"""A subscriber: keeps one queue's subscription open, has it rebuilt when it brings nothing, and paused as wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

import structlog

from worker.errors import TransportUnavailable
from worker.messaging.abilities import ExtendsLease, Foretells, Recalls
from worker.messaging.transport import Delivery, QueueSpec, Settled, Settlement, Subscription, Transport

DEAF = 30.0
"""Seconds past its wait after which a receive counts as one that will never return."""

_CLOSING = 5.0

log = structlog.stdlib.get_logger("worker.consumer")


class Subscriber:
    """Opens the subscription when it is first needed.

    Args:
        transport: where the queue is.
        spec: the queue.
        slots: handlers that run at once in this process.
        recall: gives back what was not started, when the broker wants it for another process.
    """

    def __init__(self, transport: Transport, spec: QueueSpec, slots: int, recall: Callable[[], None]) -> None:
        self._recall = recall
        self.leasing: ExtendsLease | None = None
        self.foretelling: Foretells | None = None
        self.paused = False
        self._transport = transport
        self._spec = spec
        self._slots = slots
        self._subscription: Subscription | None = None
        self._told = False
        self._suspicion: str | None = None
        self.begun = False  # there was a subscription
        self._opening = asyncio.Lock()
        self._telling = asyncio.Lock()

    @property
    def open(self) -> bool:
        """Whether there is a subscription."""
        return self._subscription is not None

    async def opened(self) -> Subscription:
        """Return the subscription, and open it if there is none.

        Raises:
            TransportUnavailable: the broker does not answer.
        """
        async with self._opening:
            if self._subscription is None:
                subscription: object = await self._transport.subscribe(self._spec, slots=self._slots)
                self.leasing = subscription if isinstance(subscription, ExtendsLease) else None
                self.foretelling = subscription if isinstance(subscription, Foretells) else None
                if isinstance(subscription, Recalls):
                    subscription.recalled = self._recall
                self._told = False
                self._subscription = cast("Subscription", subscription)
                self.begun = True
            return self._subscription

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        """Take messages, over a new subscription where the old one is suspected.

        Raises:
            TransportUnavailable: the broker does not answer.
        """
        if self._suspicion is not None:
            await self._let_go(self._suspicion)
        subscription = self._subscription
        if subscription is None or self._told is not self.paused:
            await self.opened()
            await self.tell()
            subscription = await self.opened()
        try:
            async with asyncio.timeout(wait + DEAF):
                return await subscription.receive(limit, wait)
        except TimeoutError:
            await self._let_go("receiving did not return")
            raise TransportUnavailable(f"receiving did not return within {wait + DEAF:g} s") from None

    async def exhausted(self) -> bool:
        """Whether the broker has nothing more to hand out; True where every read tells.

        Raises:
            TransportUnavailable: the broker does not answer.
        """
        foretelling = self.foretelling
        if foretelling is None:
            return True
        try:
            async with asyncio.timeout(DEAF):
                return await foretelling.exhausted()
        except TimeoutError:
            raise TransportUnavailable(f"no answer within {DEAF:g} s whether more waits") from None

    async def settle(self, items: Sequence[Settlement]) -> Sequence[Settled]:
        """Settle; one answer each."""
        return await (self._subscription or await self.opened()).settle(items)

    async def tell(self) -> None:
        """Pause or resume the subscription as ``paused`` says, if it does not know yet.

        Raises:
            TransportUnavailable: the broker does not answer; the next receive tells it.
        """
        async with self._telling:
            subscription = self._subscription
            if subscription is None or self._told is self.paused:
                return
            wanted = self.paused
            await (subscription.pause() if wanted else subscription.resume())
            if subscription is self._subscription:
                self._told = wanted

    def suspect(self, reason: str) -> None:
        """Take a new subscription before the next receive."""
        self._suspicion = reason

    async def close(self, grace: float) -> None:
        """Let go of it."""
        if self._subscription is not None:
            await self._subscription.close(grace)

    async def _let_go(self, reason: str) -> None:
        log.error(
            "subscription rebuilt", transport=self._transport.name, queue=self._spec.name, reason=reason
        )
        self._suspicion = None
        subscription, self._subscription = self._subscription, None
        if subscription is None:
            return
        try:
            async with asyncio.timeout(_CLOSING):
                await subscription.close(0.0)
        except Exception as error:  # it is let go of because it does not work
            log.warning("subscription not closed", queue=self._spec.name, error=repr(error))
