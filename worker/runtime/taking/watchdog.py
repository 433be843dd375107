"""The watchdog: finds consumers that are connected and take nothing while messages wait, and has them rebuilt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from worker.errors import Unavailable
from worker.messaging.abilities import Countable
from worker.runtime.taking.consumer import Consumer

PATIENCE = 20.0
"""Seconds without a message, while some wait and a slot is free, after which a subscription is rebuilt."""

EVERY = 5.0
"""Seconds between looks."""

_ANSWER = 5.0

log = structlog.stdlib.get_logger("worker.watchdog")


class Watchdog:
    """Proves that consumers consume, as far as their brokers can count.

    A queue with keys is left out: what waits there may wait for a message of its key that another process has.

    Args:
        consumers: asked anew at each look.
        now: monotonic seconds, as in ``Consumer.took_at``.
        patience: seconds without a message before the broker is asked whether some wait.
    """

    def __init__(
        self,
        consumers: Callable[[], Sequence[Consumer]],
        now: Callable[[], float],
        *,
        patience: float = PATIENCE,
    ) -> None:
        self._consumers = consumers
        self._now = now
        self._patience = patience

    async def run(self, every: float = EVERY) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(every)
            await self.look()

    async def look(self) -> None:
        """Suspect each consumer that takes nothing though messages wait for it."""
        for consumer in self._consumers():
            if not consumer.spec.keyed and consumer.hungry and self._since(consumer) >= self._patience:
                await self._look_at(consumer)

    async def _look_at(self, consumer: Consumer) -> None:
        transport: object = consumer.transport
        if not isinstance(transport, Countable) or consumer.transport.features.depth == "late":
            return
        queue = consumer.spec.name
        try:
            async with asyncio.timeout(_ANSWER):
                ready = (await transport.depth([queue]))[queue].ready
        except (Unavailable, TimeoutError) as error:
            log.debug("queue not counted", queue=queue, error=repr(error))
            return
        if not ready:
            consumer.stuck = None
        elif consumer.hungry and self._since(consumer) >= self._patience:
            consumer.suspect(
                f"connected but taking nothing: {ready} messages wait, none came for {self._since(consumer):.0f} s"
            )

    def _since(self, consumer: Consumer) -> float:
        return self._now() - consumer.took_at
