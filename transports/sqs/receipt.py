"""What settles a delivery: the service's handle, and until when it is valid."""

from __future__ import annotations

from collections import deque

from transports.sqs.settings import LONGEST_LEASE
from worker.messaging.transport import Delivery


class Receipt:
    """What settles one delivery of one subscription.

    Attributes:
        handle: the service's name for this receipt of the message.
        owner: the claims of the subscription that received it.
        until: when another consumer may have the message, by the loop's clock; from then on this receipt is not used.
        since: when it was received, by the same clock.
        settled: a settlement was begun, or the lease is lost.
        behind: the deliveries of the same group that came with it and must wait for it.
    """

    __slots__ = ("behind", "handle", "owner", "settled", "since", "until")

    def __init__(
        self, handle: str, owner: object, since: float, until: float, behind: deque[Delivery] | None = None
    ) -> None:
        self.handle = handle
        self.owner = owner
        self.since = since
        self.until = until
        self.settled = False
        self.behind = behind

    def room(self, now: float) -> float:
        """Return for how many seconds from ``now`` the service can still be asked to keep the message here."""
        return self.since + LONGEST_LEASE - now - 1.0

    def renewed(self) -> Receipt:
        """Return the receipt of the message's next attempt, behind which nothing waits; this one is used up."""
        self.settled = True
        return Receipt(self.handle, self.owner, self.since, self.until, deque())
