"""What a consumer holds by a lease, and holds longer: where the broker does not watch the connection instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from worker.messaging.abilities import ExtendsLease
from worker.messaging.transport import Delivery, Settled


class Leased:
    """The deliveries of one consumer whose leases run.

    Args:
        leasing: tells who extends the leases of its subscription; None where there are none.
        lost: told of a delivery that another worker has by now.

    Attributes:
        by_identity: the deliveries; one is taken out when it is settled.
    """

    def __init__(self, leasing: Callable[[], ExtendsLease | None], lost: Callable[[Delivery], None]) -> None:
        self.by_identity: dict[int, Delivery] = {}
        self._leasing = leasing
        self._lost = lost

    @property
    def lease(self) -> float | None:
        """Seconds until a held message comes back; None where the broker watches the connection."""
        leasing = self._leasing()
        return None if leasing is None else leasing.lease

    def took(self, got: Sequence[Delivery]) -> None:
        """Hold what was received."""
        self.by_identity.update({id(delivery): delivery for delivery in got})

    async def extend(self) -> None:
        """Hold what is held for another lease, and forget what was lost."""
        leasing, held = self._leasing(), self.by_identity
        if leasing is None or not held:
            return
        deliveries = list(held.values())
        for delivery, settled in zip(deliveries, await leasing.extend(deliveries), strict=True):
            if settled is Settled.LOST and id(delivery) in held:  # else it was settled meanwhile
                del held[id(delivery)]
                self._lost(delivery)
