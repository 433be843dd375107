"""One queue in memory: what is ready, what waits for its time, which claim holds what, and the lanes of keys."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import Final

from transports.memory.entry import Entry
from worker.messaging.transport import Delivery, Depth, Outgoing


class Queue:
    """Hands out by priority, then by due time; of each key only the head. Callers give the times."""

    def __init__(self) -> None:
        self._entries: Final[dict[str, Entry]] = {}
        self._ready: list[tuple[int, float, int, int, Entry]] = []
        self._later: list[tuple[float, int, int, Entry]] = []
        self._lanes: dict[str, deque[Entry]] = {}
        self._numbers = 0
        self._leases = 0

    def put(self, outgoing: Outgoing, now: float) -> None:
        """Take a message. Where its id waits already, that one stays; where a consumer holds it, it starts anew."""
        entry = self._entries.get(outgoing.id)
        if entry is not None:
            if entry.lease is not None:
                self._renew(entry, outgoing, now)
            return
        self._numbers += 1
        entry = Entry(self._numbers, outgoing, now + outgoing.delay)
        self._entries[outgoing.id] = entry
        if outgoing.key is not None:
            lane = self._lanes.setdefault(outgoing.key, deque())
            lane.append(entry)
            entry.blocked = len(lane) > 1
        if not entry.blocked:
            self._place(entry)

    def claim(self, limit: int, now: float, lease: float) -> list[Delivery]:
        """Hand out up to ``limit`` messages for ``lease`` seconds."""
        self._ripen(now)
        claimed: list[Delivery] = []
        while self._ready and len(claimed) < limit:
            *_, place, entry = heappop(self._ready)
            if place != entry.place:
                continue
            self._leases += 1
            entry.lease = self._leases
            entry.deaths += 1
            entry.due = now + lease
            self._place(entry)
            claimed.append(entry.deliver(self._leases))
        return claimed

    def holds(self, delivery: Delivery) -> Entry | None:
        """Return the entry while the delivery's claim is the valid one."""
        entry, lease = delivery.receipt
        if entry.lease == lease and self._entries.get(entry.outgoing.id) is entry:
            return entry
        return None

    def remove(self, entry: Entry) -> None:
        """Drop a message; the next of its key comes forward."""
        entry.place += 1
        entry.lease = None
        del self._entries[entry.outgoing.id]
        key = entry.outgoing.key
        if key is None:
            return
        lane = self._lanes[key]
        lane.remove(entry)
        if not lane:
            del self._lanes[key]
        elif lane[0].blocked:
            lane[0].blocked = False
            self._place(lane[0])

    def release(self, entry: Entry, due: float) -> None:
        """Give it back without counting a death; a ``due`` of 0 puts it in front, where it was taken from."""
        entry.lease = None
        entry.deaths -= 1
        entry.due = due
        self._place(entry)

    def extend(self, entry: Entry, until: float) -> None:
        """Hold it longer."""
        entry.due = until
        self._place(entry)

    def again(self, entry: Entry, outgoing: Outgoing, now: float) -> None:
        """Swap it for its next attempt, in the same place."""
        self._renew(entry, outgoing, now)

    def next_due(self, now: float) -> float | None:
        """When the next message can be handed out; None while nothing waits."""
        self._ripen(now)
        while self._ready and self._ready[0][3] != self._ready[0][4].place:
            heappop(self._ready)
        if self._ready:
            return self._ready[0][1]
        return self._later[0][0] if self._later else None

    def depth(self, now: float) -> Depth:
        """Count by state; what waits behind its key's head is ready or delayed by its own time."""
        ready = held = delayed = 0
        for entry in self._entries.values():
            if entry.due <= now:
                ready += 1
            elif entry.lease is not None:
                held += 1
            else:
                delayed += 1
        return Depth(ready=ready, in_flight=held, delayed=delayed)

    def _renew(self, entry: Entry, outgoing: Outgoing, now: float) -> None:
        entry.outgoing = outgoing
        entry.lease = None
        entry.deaths = 0
        entry.due = now + outgoing.delay
        self._place(entry)

    def _place(self, entry: Entry) -> None:
        entry.place += 1
        heappush(self._later, (entry.due, entry.number, entry.place, entry))

    def _ripen(self, now: float) -> None:
        while self._later and (self._later[0][0] <= now or self._later[0][2] != self._later[0][3].place):
            due, number, place, entry = heappop(self._later)
            if place == entry.place:
                heappush(self._ready, (-entry.outgoing.priority, due, number, place, entry))
