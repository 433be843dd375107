"""What a process holds of a queue: its partitions' windows, what is ready, and what waits for its time or key."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush

import msgspec

from transports.kafka.encoding import CONTENT_TYPE, Reader, Record
from transports.kafka.window import COPYING, OUT, WAITING, Entry, Window
from worker.messaging.steady import monotonic_of
from worker.messaging.transport import Delivery, Outgoing, Settled

Partition = tuple[str, int]
AHEAD = 512
"""Messages of a queue that are read ahead of what is handed out: few enough to stay in a processor's own cache."""

_DONE, _LOST = Settled.DONE, Settled.LOST


class Windows:
    """Hands out in order of arrival; of each key only the head. Knows no broker.

    Args:
        queue: name, as in deliveries.
        clock: seconds since the epoch, by which records are due. Once read, they wait by a monotonic clock beside it, and
            so do messages that were taken back.
    """

    def __init__(self, queue: str, clock: Callable[[], float]) -> None:
        self.by_partition: dict[Partition, Window] = {}
        self.out = 0
        self.settled = 0
        self._wall = clock
        self._clock = monotonic_of(clock)
        self._reader = Reader(queue)
        self._ready: deque[Entry] = deque()
        self._later: list[tuple[float, int, Delivery | None, Entry]] = []
        self._sequence = 0

    @property
    def ready(self) -> int:
        """About how many may be handed out."""
        return len(self._ready)

    @property
    def room(self) -> int:
        """How many more may be read ahead."""
        return AHEAD - len(self._ready)

    def open(self) -> Sequence[Partition]:
        """Partitions of which more may be read."""
        return [partition for partition, window in self.by_partition.items() if not window.full]

    def held(self) -> Iterable[Window]:
        """The windows of the partitions that are held now."""
        return self.by_partition.values()

    def begin(self, windows: Iterable[Window]) -> None:
        """Hold these partitions, and no others."""
        self.end()
        self.by_partition = {(window.topic, window.partition): window for window in windows}

    def end(self) -> None:
        """Hold nothing: what is still handed out is fenced, so that its settlement changes nothing."""
        for window in self.by_partition.values():
            window.alive = False
        self.by_partition = {}
        self._ready.clear()
        self._later.clear()
        self.out = 0

    def took(self, partition: Partition, records: Sequence[Record]) -> None:
        """Take what was read of a partition, in its order."""
        window = self.by_partition[partition]
        if not window.skips:
            self._take(window, records)
            return
        for record in records:
            if window.done_before(record.offset):
                self.settled += 1
            else:
                self._take(window, (record,))

    def _take(self, window: Window, records: Sequence[Record]) -> None:
        entries, free = self._reader.read(window, records)
        window.add(entries)
        ready, lanes = self._ready, window.lanes
        if free:
            ready.extend(entries)
            return
        now = self._clock()
        ahead = self._wall() - now
        for entry in entries:
            key = entry.key
            if entry.due:
                entry.due -= ahead
            if key is not None:
                lane = lanes.get(key)
                if lane is not None:
                    lane.append(entry)
                    continue
                lanes[key] = deque((entry,))
            if entry.due > now:
                self._hold(entry, entry.due)
            else:
                ready.append(entry)

    def hand_out(self, limit: int) -> list[Delivery]:
        """Hand out up to ``limit`` messages."""
        if self._later:
            self._ripen()
        ready = self._ready
        handed: list[Delivery] = []
        for _ in range(min(limit, len(ready))):
            entry = ready.popleft()
            assert entry.delivery is not None
            entry.state = OUT
            handed.append(entry.delivery)
        self.out += len(handed)
        return handed

    def wait(self) -> float | None:
        """Return the seconds until the next message is due that waits for its time; None where none waits."""
        return max(self._later[0][0] - self._clock(), 0.0) if self._later else None

    def ack(self, deliveries: Iterable[Delivery]) -> list[Settled]:
        """Mark messages as done; one answer each."""
        answers = []
        done = 0
        touched: set[Window] = set()
        for delivery in deliveries:
            entry = delivery.receipt
            window = entry.window
            if entry.delivery is not delivery or entry.state is not OUT or not window.alive:
                answers.append(_LOST)
                continue
            window.finish(entry)
            done += 1
            if entry.key is not None:
                self._next_of_key(entry)
            touched.add(window)
            answers.append(_DONE)
        self.out -= done
        self.settled += done
        for window in touched:
            window.trim()
        return answers

    def release(self, delivery: Delivery, delay: float) -> Settled:
        """Take a message back as it was."""
        entry = _held(delivery)
        if entry is None:
            return _LOST
        self._take_back(entry, self._clock() + delay if delay > 0 else 0.0)
        return _DONE

    def again(self, delivery: Delivery, outgoing: Outgoing) -> Settled:
        """Swap a message for its next attempt in place; the rest of its key waits for it."""
        entry = _held(delivery)
        if entry is None:
            return _LOST
        entry.delivery = msgspec.structs.replace(
            delivery,
            body=outgoing.body,
            headers={**delivery.headers, CONTENT_TYPE: outgoing.content_type},
            redelivered=False,
        )
        self._take_back(entry, self._clock() + outgoing.delay if outgoing.delay > 0 else 0.0)
        return _DONE

    def begin_copy(self, delivery: Delivery) -> Entry | None:
        """Keep a message aside while its copy is published; None where its delivery cannot be settled any more."""
        entry = _held(delivery)
        if entry is not None:
            entry.state = COPYING
        return entry

    def end_copy(self, entry: Entry, *, published: bool, delay: float) -> Settled:
        """Mark a message as done if its copy is ``published``; else it may be settled anew, and is back after ``delay`` s."""
        if not entry.window.alive:
            return _LOST
        entry.state = OUT
        if published:
            assert entry.delivery is not None
            return self.ack((entry.delivery,))[0]
        self._hold(entry, self._clock() + delay)
        return Settled.UNKNOWN

    def _next_of_key(self, entry: Entry) -> None:
        assert entry.key is not None
        lanes = entry.window.lanes
        lane = lanes[entry.key]
        lane.popleft()
        if lane:
            self._place(lane[0])
        else:
            del lanes[entry.key]

    def _take_back(self, entry: Entry, due: float) -> None:
        self.out -= 1
        entry.state = WAITING
        entry.due = due
        assert entry.delivery is not None
        entry.delivery = copy.copy(entry.delivery)
        self._place(entry, first=True)

    def _place(self, entry: Entry, *, first: bool = False) -> None:
        if entry.due > self._clock():
            self._hold(entry, entry.due)
        elif first:
            self._ready.appendleft(entry)
        else:
            self._ready.append(entry)

    def _hold(self, entry: Entry, due: float) -> None:
        self._sequence += 1
        heappush(self._later, (due, self._sequence, entry.delivery, entry))

    def _ripen(self) -> None:
        now = self._clock()
        while self._later and self._later[0][0] <= now:
            _, _, delivery, entry = heappop(self._later)
            if entry.delivery is not delivery or entry.state not in {WAITING, OUT} or not entry.window.alive:
                continue
            if entry.state is OUT:  # the outcome of its copy is unknown: it is handed out again
                self._take_back(entry, 0.0)
            else:
                self._ready.append(entry)


def _held(delivery: Delivery) -> Entry | None:
    """Return the entry while the delivery is its valid hand-over, else None."""
    entry = delivery.receipt
    if entry.delivery is delivery and entry.state is OUT and entry.window.alive:
        found: Entry = entry
        return found
    return None
