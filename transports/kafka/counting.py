"""Counting: what lies between a group's commits and the ends of its partitions, and how old the oldest of it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from aiokafka import TopicPartition

from transports.kafka import progress
from transports.kafka.commits import Commit, Commits, Found
from transports.kafka.connection import Connection
from transports.kafka.driver import dismiss, introduced
from transports.kafka.names import Names
from transports.kafka.topology import Topology
from worker.errors import TransportUnavailable
from worker.messaging.transport import Depth, Position

T = TypeVar("T")

_LOOK = 1.0
"""Seconds for reading the oldest messages; without them the age is unknown."""


class Counter:
    """Counts by lag: exact where nothing is running and no message was deleted, else close to it."""

    def __init__(
        self, connection: Connection, commits: Commits, topology: Topology, topic_names: Names
    ) -> None:
        self._connection = connection
        self._commits = commits
        self._topology = topology
        self._names = topic_names
        self._reader: Any = None
        self._reading = asyncio.Lock()

    async def depth(self, queues: Sequence[str]) -> Mapping[str, Depth]:
        """Count queues; zeros for one that was never set up.

        Raises:
            TransportUnavailable: the brokers do not answer.
        """
        await self._topology.refresh()
        return await self._asked(lambda: self._count(queues))

    async def ends(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Return where partitions end now; asks over a connection of its own, on which no fetch holds questions up.

        Raises:
            TransportUnavailable: the brokers do not answer.
        """
        return await self._asked(lambda: self._ends(partitions)) if partitions else {}

    async def close(self) -> None:
        """Let go of the connection."""
        async with self._reading:
            await self._let_go()

    async def _asked(self, question: Callable[[], Awaitable[T]]) -> T:
        """Ask with the reader, one question after the other; after a fault the next question gets a new reader."""
        async with self._reading:
            if self._reader is None:
                self._reader = self._connection.reader()
                try:
                    await self._connection.connected("counting", self._reader.start())
                except TransportUnavailable:
                    await self._let_go()
                    raise
            try:
                return await question()
            except TransportUnavailable:
                await self._let_go()
                raise

    async def _ends(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        within, reader = self._connection.within, self._reader
        await within("looking for messages", introduced(reader, {tp.topic for tp in partitions}))
        ends: Mapping[TopicPartition, int] = await within(
            "looking for messages", reader.end_offsets(list(partitions))
        )
        return ends

    async def _let_go(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await dismiss(reader, 1.0)

    async def _count(self, queues: Sequence[str]) -> Mapping[str, Depth]:
        """Count them all with the same few questions: each answer takes a round trip to the brokers."""
        known = self._topology.known
        partitions = {
            queue: [
                TopicPartition(topic, number)
                for topic in self._names.all(queue)
                if topic in known
                for number in range(known[topic].partitions)
            ]
            for queue in queues
        }
        everything = [tp for found in partitions.values() for tp in found]
        if not everything:
            return dict.fromkeys(queues, Depth(ready=0, delayed=0))
        within, reader = self._connection.within, self._reader
        await within("counting", introduced(reader, {tp.topic for tp in everything}))
        starts = await within("counting", reader.beginning_offsets(everything))
        commits = await self._read({queue: found for queue, found in partitions.items() if found})
        ends = await within("counting", reader.end_offsets(everything))
        # a commit behind the end is of a topic that was deleted and is back: consumers begin with the oldest
        commits = {tp: commit for tp, commit in commits.items() if commit.offset <= ends[tp]}
        lags = {tp: lag(starts[tp], commits.get(tp), ends[tp]) for tp in everything}
        own = {self._names.topic(queue) for queue in queues}
        times = await self._times(
            {tp: _first(starts[tp], commits.get(tp)) for tp in everything if tp.topic in own and lags[tp]}
        )
        now = time.time()
        depths = {}
        for queue, found in partitions.items():
            mine = [tp for tp in found if tp.topic == self._names.topic(queue)]
            oldest = min((times[tp] for tp in mine if tp in times), default=None)
            depths[queue] = Depth(
                ready=sum(lags[tp] for tp in mine),
                delayed=sum(lags[tp] for tp in found) - sum(lags[tp] for tp in mine),
                oldest_age=None if oldest is None else max(now - oldest, 0.0),
                positions=tuple(_position(tp, commits.get(tp), ends[tp]) for tp in mine),
            )
        return depths

    async def _read(self, partitions: Mapping[str, Sequence[TopicPartition]]) -> Found:
        asked = [self._commits.read(self._names.topic(queue), found) for queue, found in partitions.items()]
        return {tp: commit for found in await asyncio.gather(*asked) for tp, commit in found.items()}

    async def _times(self, behind: Mapping[TopicPartition, int]) -> Mapping[TopicPartition, float]:
        """Return when the message at each of these offsets was published, where that can be read within a second."""
        times: dict[TopicPartition, float] = {}
        if not behind:
            return times
        reader = self._reader
        reader.assign(list(behind))
        for tp, start in behind.items():
            reader.seek(tp, start)
        left = set(behind)
        loop = asyncio.get_running_loop()
        end = loop.time() + _LOOK
        while left and (seconds := end - loop.time()) > 0:
            asked = reader.getmany(*left, timeout_ms=round(seconds * 1000), max_records=len(left))
            found = await self._connection.within("looking at messages", asked)
            for tp, messages in found.items():
                times[tp] = messages[0].timestamp / 1000
                left.discard(tp)
        reader.unsubscribe()  # else it would go on fetching, and hold up each further question
        return times


def lag(start: int, commit: Commit | None, end: int) -> int:
    """Return how many messages of a partition are not done, from the commit, or its start, to its end."""
    done = 0
    if commit is not None and commit.offset >= start:
        done = sum(last - first for first, last in progress.decode(commit.offset, commit.notes))
    return max(end - _first(start, commit) - done, 0)


def _first(start: int, commit: Commit | None) -> int:
    return start if commit is None else max(start, commit.offset)


def _position(tp: TopicPartition, commit: Commit | None, end: int) -> Position:
    return Position(partition=tp.partition, committed=None if commit is None else commit.offset, end=end)
