"""What has come from one queue and was not received yet; of each key only the first may be received."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from transports.pubsub.lanes import Lanes
from worker.messaging.transport import Delivery


class Prefetched:
    """Deliveries that wait to be received, and those that wait behind one of their key.

    Args:
        keyed: of one key's messages only the first may be handed out.
    """

    def __init__(self, *, keyed: bool) -> None:
        self._lanes = Lanes() if keyed else None
        self._ready: deque[Delivery] = deque()

    def __bool__(self) -> bool:
        return bool(self._ready)

    def add(self, came: Sequence[Delivery], now: float) -> list[Delivery]:
        """Line them up; return what must go back, as the lease of its key's head is over."""
        free, stale = (came, []) if self._lanes is None else self._lanes.admit(came, now)
        self._ready.extend(free)
        return stale

    def take(self, limit: int, now: float) -> tuple[list[Delivery], list[Delivery]]:
        """Return up to ``limit`` that are held for sure, and what must go back, as the one before it is lost."""
        got: list[Delivery] = []
        lost: list[Delivery] = []
        ready = self._ready
        while ready and len(got) < limit:
            delivery = ready.popleft()
            (lost if delivery.receipt.lost(now) else got).append(delivery)
        return got, self.back(lost)

    def done(self, head: Delivery, now: float) -> list[Delivery]:
        """Let the next of its key follow a delivery that is done with; return what must go back, as that next is lost."""
        following, stale = (None, []) if self._lanes is None else self._lanes.follow(head, now)
        if following is not None:
            self._ready.append(following)
        return stale

    def back(self, heads: Iterable[Delivery]) -> list[Delivery]:
        """Return, in order, what waits behind deliveries that go back or are lost: it must go back, too."""
        lanes = self._lanes
        return [] if lanes is None else [behind for head in heads for behind in lanes.break_up(head)]

    def behind(self, heads: Sequence[Delivery]) -> list[Delivery]:
        """Return what waits behind these."""
        return [] if self._lanes is None else self._lanes.behind(heads)

    def all_back(self) -> list[Delivery]:
        """Keep nothing; return what was not received, in the order in which it came."""
        ready = [*self._ready]
        self._ready.clear()
        rest = self.back(ready)
        return [*ready, *rest, *([] if self._lanes is None else self._lanes.clear())]
