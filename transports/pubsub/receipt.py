"""What settles a delivery: its acknowledgement id, and until when its lease surely holds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from worker.messaging.transport import Settled


class Era:
    """The time from one opening of a transport to its close: what was received in another one cannot be settled in it."""

    def __init__(self) -> None:
        self.open = True

    @staticmethod
    def now() -> float:
        """Seconds of the loop, by which leases end."""
        return asyncio.get_running_loop().time()


class Acknowledges(Protocol):
    """Decides about what came from one subscription; the answers stand in the order of the receipts."""

    async def acknowledge(self, receipts: Sequence[Receipt]) -> list[Settled]:
        """Tell the service that these are done with."""
        ...

    async def postpone(self, receipts: Sequence[Receipt], delay: float) -> list[Settled]:
        """Hand them out again after ``delay`` seconds."""
        ...


class Receipt:
    """What settles one delivery, in one era.

    Attributes:
        ack_id: what the service calls this delivery.
        acknowledger: of the subscription that it came from.
        until: when another consumer may have the message, by the loop's clock.
        settled: a settlement was begun and did not turn out ``UNKNOWN``.
    """

    __slots__ = ("ack_id", "acknowledger", "era", "settled", "until")

    def __init__(self, ack_id: str, acknowledger: Acknowledges, era: Era, until: float) -> None:
        self.ack_id = ack_id
        self.acknowledger = acknowledger
        self.era = era
        self.until = until
        self.settled = False

    def lost(self, now: float) -> bool:
        """Whether another consumer may have the message at ``now``, seconds of the loop."""
        return self.until <= now
