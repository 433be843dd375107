"""aiokafka alone: decodes and handles what it reads, and awaits a commit after each batch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.peers.kafka import BATCH, PARTITIONS, servers_of, topic_of
from benchmarks.peers.meter import Meter
from benchmarks.peers.program import Send, main, until_terminated
from benchmarks.peers.task import Task
from benchmarks.peers.work import Work, decode, encode, event


def consume(task: Task) -> None:
    """Consume until terminated."""
    uvloop.run(until_ended(task, in_batches, each_batch=True))


Reading = Callable[[AIOKafkaConsumer, Meter, bool], Coroutine[Any, Any, None]]
"""Reads and handles until cancelled; it is told whether to commit after each batch."""


async def in_batches(consumer: AIOKafkaConsumer, meter: Meter, each_batch: bool) -> None:
    """Handle what ``getmany`` gives."""
    while True:
        found = await consumer.getmany(timeout_ms=500, max_records=BATCH)
        for records in found.values():
            for record in records:
                assert record.value is not None
                meter.handled(decode(record.value).data.sent)
        if each_batch and found:
            await consumer.commit()


async def iterated(consumer: AIOKafkaConsumer, meter: Meter, _each_batch: bool) -> None:
    """Handle one message after the other."""
    async for record in consumer:
        assert record.value is not None
        meter.handled(decode(record.value).data.sent)


async def until_ended(task: Task, reading: Reading, *, each_batch: bool) -> None:
    """Consume until terminated; commit after each batch, or five times a second beside the reading."""
    meter = Meter(task)
    topic = topic_of(task.url, task.queue)
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=servers_of(task.url),
        group_id=topic,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()

    async def commit() -> None:
        while not each_batch:
            await asyncio.sleep(0.2)
            await consumer.commit()

    tasks = [asyncio.create_task(reading(consumer, meter, each_batch)), asyncio.create_task(commit())]
    await until_terminated()
    for one in tasks:
        one.cancel()
        with suppress(asyncio.CancelledError):
            await one
    await consumer.commit()
    await consumer.stop()


@asynccontextmanager
async def sender(task: Task) -> AsyncIterator[Send]:
    """Publish, idempotent, confirmed by all replicas; a future for each message."""
    topic = topic_of(task.url, task.queue)
    admin = AIOKafkaAdminClient(bootstrap_servers=servers_of(task.url))
    await admin.start()
    await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=servers_of(task.url), enable_idempotence=True, acks="all")
    await producer.start()

    async def send(work: Work) -> None:
        await (await producer.send(topic, encode(event(work))))

    yield send
    await producer.stop()


if __name__ == "__main__":
    main(consume, sender)
