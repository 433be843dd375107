"""What is held: each delivery's acknowledgement id, and until when it is surely ours."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from transports.pubsub.publishing import ID, KEY
from worker.messaging.transport import Delivery, Settled


class Era:
    """One opening of a transport: what was received before or after it cannot be settled in it."""

    def __init__(self) -> None:
        self.open = True

    @staticmethod
    def now() -> float:
        """Seconds of the loop, by which leases end."""
        return asyncio.get_running_loop().time()


class Acknowledges(Protocol):
    """Decides about what came from one subscription; the answers stand in the order of the holds."""

    async def acknowledge(self, holds: Sequence[Hold]) -> list[Settled]:
        """They are done with."""
        ...

    async def postpone(self, holds: Sequence[Hold], delay: float) -> list[Settled]:
        """Hand them out again after ``delay`` seconds."""
        ...


class Hold:
    """A delivery's receipt.

    Attributes:
        ack_id: what the service calls this delivery.
        acknowledger: of the subscription that it came from.
        expires: time of the loop after which somebody else may have the message.
        settled: it was decided about.
    """

    __slots__ = ("ack_id", "acknowledger", "era", "expires", "settled")

    def __init__(self, ack_id: str, acknowledger: Acknowledges, era: Era, expires: float) -> None:
        self.ack_id = ack_id
        self.acknowledger = acknowledger
        self.era = era
        self.expires = expires
        self.settled = False

    @property
    def lost(self) -> bool:
        """Whether somebody else may have the message by now."""
        return self.expires <= asyncio.get_running_loop().time()


def read(
    queue: str, received: Sequence[Any], acknowledger: Acknowledges, era: Era, expires: float
) -> list[Delivery]:
    """Make deliveries of what a pull brought."""
    deliveries = []
    for each in received:
        message = each.message
        headers = dict(message.attributes)
        message_id = headers.pop(ID, "") or headers.get("ce-id") or message.message_id
        key = message.ordering_key or headers.pop(KEY, None)
        deliveries.append(
            Delivery(
                queue=queue,
                id=message_id,
                body=message.data,
                headers=headers,
                key=key,
                redelivered=each.delivery_attempt != 1,  # 0: the service does not count, so nobody knows
                receipt=Hold(each.ack_id, acknowledger, era, expires),
            )
        )
    return deliveries
