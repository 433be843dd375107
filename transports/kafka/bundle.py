"""What a member holds of several queues, seen as one: its partitions move together, each queue has room of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from transports.kafka.encoding import Record
from transports.kafka.window import Window
from transports.kafka.windows import Partition, Windows


class Part(Protocol):
    """One queue of a bundle."""

    paused: bool
    gone: bool
    windows: Windows


class Bundle:
    """Passes what is read to the queues; a queue that is full or paused does not hold up the others.

    Args:
        parts: by topic.
    """

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self.by_partition: dict[Partition, Window] = {}
        self._by_topic = parts
        self._parts = tuple({id(part): part for part in parts.values()}.values())

    @property
    def out(self) -> int:
        """How many are handed out and may still be settled: not those of a queue whose subscriptions are closed."""
        return sum(part.windows.out for part in self._parts if not part.gone)

    @property
    def settled(self) -> int:
        """How many were settled so far."""
        return sum(part.windows.settled for part in self._parts)

    @property
    def ready(self) -> int:
        """About how many may be handed out."""
        return sum(part.windows.ready for part in self._parts if not part.paused)

    @property
    def room(self) -> int:
        """How many more may be read: as many as the emptiest queue takes."""
        parts = [part for part in self._parts if not part.paused] or self._parts
        return max(part.windows.room for part in parts)

    def open(self) -> Sequence[Partition]:
        """Partitions of which more may be read; nothing comes of those that are paused."""
        return [
            partition
            for part in self._parts
            if part.paused or part.windows.room > 0
            for partition in part.windows.open()
        ]

    def held(self) -> Iterable[Window]:
        """The windows of the partitions that are held now."""
        return self.by_partition.values()

    def begin(self, windows: Iterable[Window]) -> None:
        """Hold these partitions, and no others."""
        self.by_partition = {(window.topic, window.partition): window for window in windows}
        for part in self._parts:
            part.windows.begin(one for one in self.held() if self._by_topic[one.topic] is part)

    def end(self) -> None:
        """Hold nothing."""
        self.by_partition = {}
        for part in self._parts:
            part.windows.end()

    def took(self, partition: Partition, records: Sequence[Record]) -> None:
        """Take what was read of a partition, in its order."""
        self._by_topic[partition[0]].windows.took(partition, records)
