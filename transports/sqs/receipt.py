"""What settles a delivery: the service's handle, and until when it is worth something."""

from __future__ import annotations

from collections import deque

from transports.sqs.settings import LONGEST_LEASE
from worker.messaging.transport import Delivery


class Receipt:
    """Of one delivery, of one subscription.

    Attributes:
        handle: the service's word for this receipt of the message.
        owner: the subscription that received it.
        until: when another may have it, by the loop's clock; nothing is done with it from then on.
        since: when it was received, by the same clock.
        settled: something was decided, or the lease is lost.
        behind: what came with it of the same group, which must wait for it.
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
        """For how many seconds from now the service may still be asked to keep it here."""
        return self.since + LONGEST_LEASE - now - 1.0

    def renewed(self) -> Receipt:
        """One for the next hand-over of the same message, which nothing waits behind; this one settles nothing any more."""
        self.settled = True
        return Receipt(self.handle, self.owner, self.since, self.until, deque())
