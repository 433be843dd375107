"""Counting: what lies between a group's commits and the ends of its partitions, and how old the oldest of it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition

from transports.kafka import progress
from transports.kafka.commits import Commits
from transports.kafka.connection import Connection, dismiss
from transports.kafka.names import Names
from transports.kafka.topics import Topics
from worker.errors import TransportUnavailable
from worker.messaging.transport import Depth, Position

_LOOK = 1.0
"""Seconds for reading the oldest messages; without them the age is unknown."""


class Counter:
    """Counts by lag: exact where nothing is running and no message was deleted, else close to it."""

    def __init__(self, connection: Connection, commits: Commits, topics: Topics, topic_names: Names) -> None:
        self._connection = connection
        self._commits = commits
        self._topics = topics
        self._names = topic_names
        self._reader: Any = None
        self._reading = asyncio.Lock()

    async def depth(self, queues: Sequence[str]) -> Mapping[str, Depth]:
        """Count queues; zeros for one that was never set up.

        Raises:
            TransportUnavailable: the brokers do not answer.
        """
        await self._topics.refresh()
        async with self._reading:
            if self._reader is None:
                self._reader = self._connection.reader()
                try:
                    await self._connection.connected("counting", self._reader.start())
                except TransportUnavailable:
                    await self._let_go()
                    raise
            try:
                return {queue: await self._count(queue) for queue in queues}
            except TransportUnavailable:
                await self._let_go()
                raise

    async def close(self) -> None:
        """Let go of the connection."""
        async with self._reading:
            await self._let_go()

    async def _let_go(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await dismiss(reader, 1.0)

    async def _count(self, queue: str) -> Depth:
        own, *later = self._names.all(queue)
        partitions = [
            TopicPartition(topic, number)
            for topic in (own, *later)
            if topic in self._topics.known
            for number in range(self._topics.known[topic].partitions)
        ]
        if not partitions:
            return Depth(ready=0, delayed=0)
        commits = await self._commits.read(own, partitions)
        within = self._connection.within
        starts = await within("counting", self._reader.beginning_offsets(partitions))
        ends = await within("counting", self._reader.end_offsets(partitions))
        lag = {True: 0, False: 0}
        behind: dict[TopicPartition, int] = {}
        positions = []
        for tp in partitions:
            commit = commits.get(tp)
            start, done = starts[tp], 0
            committed = None if commit is None else commit.offset
            if commit is not None and commit.offset >= start:
                start = commit.offset
                done = sum(end - first for first, end in progress.decode(start, commit.notes))
            lag[tp.topic == own] += max(ends[tp] - start - done, 0)
            if tp.topic == own:
                positions.append(Position(partition=tp.partition, committed=committed, end=ends[tp]))
                if ends[tp] > start:
                    behind[tp] = start
        return Depth(
            ready=lag[True],
            delayed=lag[False],
            oldest_age=await self._age(behind),
            positions=tuple(positions),
        )

    async def _age(self, behind: Mapping[TopicPartition, int]) -> float | None:
        """Seconds since the oldest message that is not done was published; None when there is none."""
        if not behind:
            return None
        reader = self._reader
        reader.assign(list(behind))
        for tp, start in behind.items():
            reader.seek(tp, start)
        left = set(behind)
        times: list[int] = []
        loop = asyncio.get_running_loop()
        end = loop.time() + _LOOK
        while left and (seconds := end - loop.time()) > 0:
            asked = reader.getmany(*left, timeout_ms=round(seconds * 1000), max_records=len(left))
            found = await self._connection.within("looking at messages", asked)
            for tp, messages in found.items():
                times.append(messages[0].timestamp)
                left.discard(tp)
        return max(time.time() - min(times) / 1000, 0.0) if times else None
