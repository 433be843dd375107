"""One partition's window: what was read and is not committed, in order. A commit never passes unfinished work."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from transports.kafka import progress
from transports.kafka.progress import Range
from worker.messaging.transport import Delivery

DOUBTFUL = 2048
"""How many unfinished messages behind the commit of a holder that died count as perhaps in its hands."""


class EntryState(enum.Enum):
    """Where an entry stands."""

    WAITING = "waiting"
    OUT = "out"
    COPYING = "copying"
    """Its next attempt is being published elsewhere."""
    DONE = "done"


WAITING, OUT, COPYING, DONE = EntryState


class Entry(msgspec.Struct, eq=False):
    """One message of a window.

    Attributes:
        due: when it may be handed out, in seconds of the clock of the windows that hold it; 0 for at once.
        size: of its body, bytes.
        delivery: its hand-over, whose receipt is this entry; each time a new one, so that an earlier one settles nothing.
    """

    window: Window
    offset: int
    key: bytes | None
    due: float = 0.0
    size: int = 0
    state: EntryState = WAITING
    delivery: Delivery | None = None


class Window:
    """A partition while this process holds it: made at an assignment, dead at the revocation.

    Args:
        topic: whose ``partition`` this is.
        start: the committed offset; None where nothing was committed yet.
        earlier: ranges beyond it that an earlier holder had done.
        orphaned: the earlier holder died: the first messages may have been in its hands.
        limit: entries and bytes from which on nothing more should be read.

    Attributes:
        position: the offset after the last one read; None while nothing was read or committed.
        committed: what was committed when the partition was assigned.
        lanes: entries by key, the head of each first.
        held: the next commit says that a process holds it.
    """

    def __init__(
        self,
        topic: str,
        partition: int,
        *,
        start: int | None = None,
        earlier: Iterable[Range] = (),
        orphaned: bool = False,
        limit: tuple[int, int] = (10_000, 32 * 1024 * 1024),
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.alive = True
        self.committed = start
        self.lanes: dict[bytes, deque[Entry]] = {}
        self.position = start
        self.held = False
        self._doubtful = DOUBTFUL if orphaned else 0
        self._earlier = deque(earlier)
        self._entries: deque[Entry] = deque()
        self._most, self._most_bytes = limit
        self._bytes = 0

    @property
    def skips(self) -> bool:
        """Whether an earlier holder had done some of what may still be read: then ask ``done_before``."""
        return bool(self._earlier)

    @property
    def full(self) -> bool:
        """Whether nothing more should be read until something is done."""
        return len(self._entries) >= self._most or self._bytes >= self._most_bytes

    @property
    def start(self) -> int | None:
        """What may be committed: the first offset that is not done; None while nothing was read."""
        self.trim()
        return self._entries[0].offset if self._entries else self.position

    def hold(self, offset: int) -> bool:
        """Note that it is held from ``offset`` on; return whether that must be committed before a message is taken."""
        if self.held:
            return False
        self.held = True
        if self.position is None:
            self.position = offset
        return True

    def let_go(self) -> None:
        """Note that it is not held any more, unless messages that a dead holder had in hand are still to be done."""
        unread = bool(self._doubtful) and self.position == self.committed
        self.held = unread or any(
            entry.state is not DONE and entry.delivery is not None and entry.delivery.redelivered
            for entry in self._entries
        )

    def doubted(self, count: int) -> bool:
        """Whether the next ``count`` messages may have been in the hands of a holder that died."""
        if not self._doubtful:
            return False
        self._doubtful = max(self._doubtful - count, 0)
        return True

    def trim(self) -> None:
        """Let go of what is done before ``start``: done often, that keeps few entries in the processor's cache."""
        entries = self._entries
        while entries and entries[0].state is DONE:
            entries.popleft()

    def done_before(self, offset: int) -> bool:
        """Note that an offset was read; return whether an earlier holder had done it. Offsets ascend."""
        self.position = offset + 1
        earlier = self._earlier
        while earlier and earlier[0][1] <= offset:
            earlier.popleft()
        if not earlier or offset < earlier[0][0]:
            return False
        self._entries.append(Entry(self, offset, None, state=DONE))
        return True

    def add(self, entries: Sequence[Entry]) -> None:
        """Take entries that were read, in their order; reading has come to the last one's offset."""
        self._entries.extend(entries)
        self._bytes += sum([entry.size for entry in entries])
        self.position = entries[-1].offset + 1

    def finish(self, entry: Entry) -> None:
        """Mark it done, and let go of its body."""
        entry.state = DONE
        entry.delivery = None
        self._bytes -= entry.size

    def progress(self) -> str:
        """Write down what is done beyond ``start``, and whether it is held."""
        start = self.start
        if start is None:
            return ""
        return progress.encode(start, self._done(), held=self.held)

    def _done(self) -> Iterator[Range]:
        yield from progress.joined(entry.offset for entry in self._entries if entry.state is DONE)
        position = self.position or 0
        for first, end in self._earlier:
            if end > position:
                yield max(first, position), end
