"""What has come from one queue and was not received yet; of a key only the first."""

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
        """Line them up; return what must go back, as the head of its key was lost."""
        free, stale = (came, []) if self._lanes is None else self._lanes.admit(came, now)
        self._ready.extend(free)
        return stale

    def take(self, limit: int, now: float) -> tuple[list[Delivery], list[Delivery]]:
        """Hand out up to so many that are held for sure; tell too what must go back, as what was before it is lost."""
        got: list[Delivery] = []
        lost: list[Delivery] = []
        ready = self._ready
        while ready and len(got) < limit:
            delivery = ready.popleft()
            (lost if delivery.receipt.lost(now) else got).append(delivery)
        return got, self.back(lost)

    def done(self, head: Delivery, now: float) -> list[Delivery]:
        """A delivery is done with: the next of its key may be handed out; return what must go back, as that is lost."""
        following, stale = (None, []) if self._lanes is None else self._lanes.follow(head, now)
        if following is not None:
            self._ready.append(following)
        return stale

    def back(self, heads: Iterable[Delivery]) -> list[Delivery]:
        """Deliveries go back, or are lost: so must, in order, what waits behind them, which is returned."""
        lanes = self._lanes
        return [] if lanes is None else [behind for head in heads for behind in lanes.break_up(head)]

    def behind(self, heads: Sequence[Delivery]) -> list[Delivery]:
        """What waits behind these."""
        return [] if self._lanes is None else self._lanes.behind(heads)

    def all_back(self) -> list[Delivery]:
        """Keep nothing; return what was not received, in the order in which it came."""
        ready = [*self._ready]
        self._ready.clear()
        rest = self.back(ready)
        return [*ready, *rest, *([] if self._lanes is None else self._lanes.clear())]
