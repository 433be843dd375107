"""Counting: what lies between a group's commits and the ends of its partitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition

from transports.kafka import progress
from transports.kafka.admin import Admin
from transports.kafka.connection import Connection, dismiss
from transports.kafka.names import Names
from transports.kafka.topics import Topics
from worker.messaging.transport import Depth


class Counter:
    """Counts by lag: exact where nothing is running and no message was deleted, else close to it."""

    def __init__(self, connection: Connection, admin: Admin, topics: Topics, topic_names: Names) -> None:
        self._connection = connection
        self._admin = admin
        self._topics = topics
        self._names = topic_names

    async def depth(self, queues: Sequence[str]) -> Mapping[str, Depth]:
        """Count queues; zeros for one that was never set up.

        Raises:
            TransportUnavailable: the brokers do not answer.
        """
        await self._topics.refresh()
        reader = self._connection.reader()
        try:
            await self._connection.within("counting", reader.start())
            return {queue: await self._count(reader, queue) for queue in queues}
        finally:
            await dismiss(reader, 1.0)

    async def _count(self, reader: Any, queue: str) -> Depth:
        own, *later = self._names.all(queue)
        partitions = [
            TopicPartition(topic, number)
            for topic in (own, *later)
            if topic in self._topics.known
            for number in range(self._topics.known[topic].partitions)
        ]
        if not partitions:
            return Depth(ready=0, delayed=0)
        commits = await self._admin.ask(
            "counting", lambda client: client.list_consumer_group_offsets(own, partitions=partitions)
        )
        starts = await self._connection.within("counting", reader.beginning_offsets(partitions))
        ends = await self._connection.within("counting", reader.end_offsets(partitions))
        lag = {True: 0, False: 0}
        for tp in partitions:
            commit = commits.get(tp)
            start, done = starts[tp], 0
            if commit is not None and commit.offset >= start:
                start = commit.offset
                ranges = progress.decode(start, commit.metadata or "")
                done = sum(end - first for first, end in ranges)
            lag[tp.topic == own] += max(ends[tp] - start - done, 0)
        return Depth(ready=lag[True], delayed=lag[False])
