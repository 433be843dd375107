"""One message as the memory transport holds it."""

from __future__ import annotations

from worker.messaging.transport import Delivery, Outgoing


class Entry:
    """A message and where it stands.

    ``due`` is when it may be handed out; of one that a consumer holds, when it comes back. ``lease`` names the consumer's
    claim. ``place`` says which heap position is the valid one, so that stale ones are skipped.
    """

    __slots__ = ("blocked", "deaths", "due", "lease", "number", "outgoing", "place")

    def __init__(self, number: int, outgoing: Outgoing, due: float) -> None:
        self.number = number
        self.outgoing = outgoing
        self.due = due
        self.lease: int | None = None
        self.deaths = 0
        self.place = 0
        self.blocked = False

    def deliver(self, lease: int) -> Delivery:
        """Make the delivery of a claim; ``deaths`` counts it already."""
        message = self.outgoing
        return Delivery(
            queue=message.queue,
            id=message.id,
            body=message.body,
            headers={"content-type": message.content_type},
            key=message.key,
            deaths=self.deaths - 1,
            redelivered=self.deaths > 1,
            receipt=(self, lease),
        )
