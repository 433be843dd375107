"""Kafka as a ground: a prefix for each measurement, its topics removed afterwards."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from benchmarks.contest.copies import renewing
from benchmarks.peers.kafka import servers_of, topic_of

_AT_ONCE = 500


class Broker(Protocol):
    """What is asked of ``tests.brokers.kafka.Kafka``."""

    url: str
    how: str


class KafkaGround:
    """One broker in KRaft mode."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """A prefix that nothing else uses."""
        url = f"{self._broker.url}/b{uuid.uuid4().hex[:12]}"
        yield url
        asyncio.run(_remove(url))

    def multiply(self, url: str, queue: str, messages: int) -> None:
        """Publish copies beside the one message until there are so many."""
        asyncio.run(_multiply(url, queue, messages - 1))

    def left(self, url: str, queue: str) -> int:
        """Count what lies beyond the group's commits."""
        return asyncio.run(_left(url, queue))

    def facts(self) -> dict[str, str]:
        """Where it came from."""
        return {"kafka": f"1 broker, 12 partitions; {self._broker.how}"}


async def _multiply(url: str, queue: str, messages: int) -> None:
    topic = topic_of(url, queue)
    reader = AIOKafkaConsumer(bootstrap_servers=servers_of(url), auto_offset_reset="earliest")
    await reader.start()
    try:
        partitions = [
            TopicPartition(topic, number) for number in sorted(reader.partitions_for_topic(topic) or ())
        ]
        if not partitions:
            await reader._client.force_metadata_update()
            partitions = [TopicPartition(topic, number) for number in range(12)]
        reader.assign(partitions)
        await reader.seek_to_beginning(*partitions)
        sample = await reader.getone()
    finally:
        await reader.stop()
    producer = AIOKafkaProducer(bootstrap_servers=servers_of(url), max_batch_size=1 << 20)
    await producer.start()
    try:
        for turn, start in enumerate(range(0, messages, _AT_ONCE)):
            batch = producer.create_batch()
            for _ in range(min(_AT_ONCE, messages - start)):
                value, headers = _copy(sample)
                assert batch.append(timestamp=None, key=None, value=value, headers=headers) is not None
            await (
                await producer.send_batch(
                    batch, topic, partition=partitions[turn % len(partitions)].partition
                )
            )
    finally:
        await producer.stop()


def _copy(sample: Any) -> tuple[bytes, list[tuple[str, bytes]]]:
    renewed = renewing()
    headers = [(name, renewed(value.decode()).encode()) for name, value in sample.headers]
    return renewed(sample.value.decode()).encode(), headers


async def _left(url: str, queue: str) -> int:
    topic = topic_of(url, queue)
    admin = AIOKafkaAdminClient(bootstrap_servers=servers_of(url))
    reader = AIOKafkaConsumer(bootstrap_servers=servers_of(url))
    await admin.start()
    await reader.start()
    try:
        commits = await admin.list_consumer_group_offsets(topic)
        ends = await reader.end_offsets([TopicPartition(topic, number) for number in range(12)])
    finally:
        await reader.stop()
        await admin.close()
    return sum(end - max(commits[tp].offset, 0) if tp in commits else end for tp, end in ends.items())


async def _remove(url: str) -> None:
    prefix = topic_of(url, "")
    admin = AIOKafkaAdminClient(bootstrap_servers=servers_of(url))
    await admin.start()
    try:
        made = [topic for topic in await admin.list_topics() if topic.startswith(prefix)]
        if made:
            await admin.delete_topics(made)
    finally:
        await admin.close()
