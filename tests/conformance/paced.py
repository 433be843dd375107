"""A broker with a clock of its own, made quick: a second of the scenarios lasts less."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from worker.messaging.transport import (
    Again,
    Outcome,
    Outgoing,
    QueueSpec,
    Release,
    Settled,
    Settlement,
    Transport,
)


def paced(good: Transport, pace: float) -> Any:
    """Wrap a transport: delays last ``pace`` seconds a second."""
    return _Paced(good, pace)


class _Paced:
    def __init__(self, good: Any, pace: float) -> None:
        self._good = good
        self._pace = pace

    def __getattr__(self, name: str) -> Any:
        return getattr(self._good, name)

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        quick = [msgspec.structs.replace(m, delay=m.delay * self._pace) for m in batch]
        return await self._good.publish(quick)

    async def subscribe(self, queue: QueueSpec, *, slots: int) -> Any:
        return _PacedSubscription(await self._good.subscribe(queue, slots=slots), self._pace)

    def wake(self) -> None:
        """Time passes by itself."""


class _PacedSubscription:
    def __init__(self, good: Any, pace: float) -> None:
        self._good = good
        self._pace = pace

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._good, name)
        return found / self._pace if name == "lease" else found  # in the scenarios' seconds

    async def exhausted(self) -> bool:
        """As the broker says; one that is not asked has told with its last read."""
        ask = getattr(self._good, "exhausted", None)
        return True if ask is None else await ask()

    async def settle(self, items: Sequence[Settlement]) -> Sequence[Settled]:
        return await self._good.settle([self._quick(item) for item in items])

    def _quick(self, item: Settlement) -> Settlement:
        if isinstance(item, Release):
            return Release(item.delivery, item.delay * self._pace)
        if isinstance(item, Again):
            delay = item.outgoing.delay * self._pace
            return Again(item.delivery, msgspec.structs.replace(item.outgoing, delay=delay))
        return item
