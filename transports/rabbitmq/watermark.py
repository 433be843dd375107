"""Which of a channel's deliveries are settled, and the fewest frames that tell the broker so."""

from __future__ import annotations

from collections import deque


class Watermark:
    """Tags are delivered in order and settled in any order; one frame acks everything up to the mark."""

    def __init__(self) -> None:
        self._order: deque[int] = deque()
        self._done: set[int] = set()
        self._told: set[int] = set()
        self.waiting = 0

    @property
    def out(self) -> int:
        """How many deliveries the broker was not yet told about."""
        return len(self._order) - len(self._told)

    def delivered(self, tag: int) -> None:
        """Note that a message came."""
        self._order.append(tag)

    def ack(self, tag: int) -> None:
        """Note that it is done with, and that the broker is to be told."""
        self._done.add(tag)
        self.waiting += 1

    def told(self, tag: int) -> None:
        """Note that it was given back: the broker knows that already."""
        self._done.add(tag)
        self._told.add(tag)

    def flush(self) -> tuple[int, bool, list[int]]:
        """Return the tag to ack (0: none), whether to ack all below it, too, and further tags to ack one by one."""
        order, done, told = self._order, self._done, self._told
        mark = count = 0
        while order and order[0] in done:
            tag = order.popleft()
            done.discard(tag)
            if tag in told:
                told.discard(tag)
            else:
                mark = tag
                count += 1
        rest: list[int] = []
        if self.waiting > count:
            rest = sorted(done - told)
            told.update(rest)
        self.waiting = 0
        return mark, count > 1, rest
