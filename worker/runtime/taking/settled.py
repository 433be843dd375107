"""What was handled here though its broker has not taken the ack: where it comes again, it is only acknowledged again."""

from __future__ import annotations

from collections.abc import Sequence

from worker.messaging.transport import Delivery

_REMEMBERED = 10_000

_Key = tuple[str, int]


class HandledBefore:
    """Remembers deliveries of one queue that were handled, and whose ack came too late or whose fate is unknown.

    A broker hands such a message out again: one that limits the time until the ack would do so for ever, where its handler
    takes longer. It is known by its id and its bytes, which the next attempt and a replay do not share, and by its mark as
    handed out before: two messages from elsewhere may have no id and the same bytes.
    """

    def __init__(self) -> None:
        self._known: dict[_Key, None] = {}

    def note(self, delivery: Delivery) -> None:
        """Note one that was handled, and whose broker has not taken the ack."""
        if len(self._known) >= _REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[_key(delivery)] = None

    def among(self, got: Sequence[Delivery]) -> Sequence[Delivery]:
        """Choose what was handled before, and forget it: where its ack is not taken again, it is noted again."""
        known: list[Delivery] = []
        for delivery in got if self._known else ():
            if delivery.redelivered and (key := _key(delivery)) in self._known:
                del self._known[key]
                known.append(delivery)
        return known


def _key(delivery: Delivery) -> _Key:
    return delivery.id, hash(delivery.body)
