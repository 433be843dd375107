"""Polling: reads what is assigned to this process, as far as there is room for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition

from transports.kafka.bundle import Bundle
from transports.kafka.committing import Committer
from transports.kafka.driver import spare
from transports.kafka.windows import AHEAD, Windows
from worker.messaging.bounded import happens

_POLL = 0.5
_POLL_SOME = 0.05
"""Seconds of a poll that leaves some partitions out: there may be room for them soon."""


class Polling:
    """Puts what it reads into the windows of the partitions.

    Args:
        consumer: a member of the group.
        windows: take what is read.
        committer: commits that partitions are held.
        patience: seconds that such a commit may take.
        topic: one that the consumer has subscribed to.
        came: called when something was read.

    Attributes:
        assigned: set while the group has assigned partitions.
        epoch: grows each time that partitions are revoked.
    """

    def __init__(
        self,
        consumer: Any,
        windows: Windows | Bundle,
        committer: Committer,
        patience: float,
        topic: str,
        came: Callable[[], None],
    ) -> None:
        self.assigned = asyncio.Event()
        self.epoch = 0
        self._consumer = consumer
        self._windows = windows
        self._committer = committer
        self._patience = patience
        self._nowhere = TopicPartition(topic, 2**31 - 1)
        self._came = came
        self._space = asyncio.Event()
        self._getting: asyncio.Task[Mapping[TopicPartition, Sequence[Any]]] | None = None

    @property
    def in_hand(self) -> bool:
        """Whether the driver has given out messages that are not in the windows yet."""
        return self._getting is not None and self._getting.done()

    def room_made(self) -> None:
        """Note that something was handed out or settled: there may be room to read more."""
        if not self._space.is_set() and self._windows.room > AHEAD // 2:
            self._space.set()

    def look(self) -> None:
        """Look again at what may be read."""
        self._space.set()

    async def revoked(self) -> None:
        """Break off what is being read: another member has its partitions soon."""
        self.assigned.clear()
        self.epoch += 1
        getting = self._getting
        if getting is not None:
            getting.cancel()
            await asyncio.wait({getting})

    async def run(self) -> None:
        """Read until cancelled.

        Raises:
            KafkaError: reading failed.
        """
        while True:
            await self.assigned.wait()
            room = self._windows.room
            partitions = self._windows.open()
            if room <= 0 or not partitions:
                self._space.clear()
                await happens(self._space, _POLL)
                # a partition that does not exist brings nothing; but this call is the only one that raises the driver's
                # own faults
                await self._consumer.getmany(self._nowhere, timeout_ms=0, max_records=1)
                continue
            epoch = self.epoch
            everything = len(partitions) == len(self._windows.by_partition)
            asked = () if everything else [TopicPartition(*partition) for partition in partitions]
            wait = _POLL if everything else _POLL_SOME
            spare(self._consumer)
            getting = asyncio.ensure_future(
                self._consumer.getmany(*asked, timeout_ms=round(wait * 1000), max_records=room)
            )
            self._getting = getting
            try:
                await asyncio.wait({getting})
                await self._take(getting, epoch)
            finally:
                self._getting = None
                getting.cancel()

    async def _take(self, getting: asyncio.Task[Mapping[TopicPartition, Sequence[Any]]], epoch: int) -> None:
        """Put what was read into the windows, unless its partitions were revoked meanwhile."""
        if getting.cancelled() or epoch != self.epoch:
            return
        records = getting.result()
        if not await self._hold(records) or epoch != self.epoch:
            return
        for tp, batch in records.items():
            self._windows.took((tp.topic, tp.partition), batch)
        if records:
            self._came()

    async def _hold(self, records: Mapping[TopicPartition, Sequence[Any]]) -> bool:
        """Commit that these partitions are held, before the first of their messages is; False where one is gone.

        The next process that gets a partition knows then whether this one died with messages in hand.
        """
        windows = self._windows.by_partition
        fresh = False
        for tp, batch in records.items():
            window = windows.get((tp.topic, tp.partition))
            if window is None:
                return False
            if batch and window.hold(batch[0].offset):
                fresh = True
        if fresh:
            await self._committer.commit(self._patience)
        return True
