"""FastStream: a batch subscriber, read by msgspec, its batch committed after handling; without its log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from fast_depends.msgspec import MsgSpecSerializer
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker

from benchmarks.peers.kafka import BATCH, PARTITIONS, servers_of, topic_of
from benchmarks.peers.meter import Meter
from benchmarks.peers.program import Send, main
from benchmarks.peers.task import Task
from benchmarks.peers.work import Event, Work, event


def consume(task: Task) -> None:
    """Consume until terminated."""
    meter = Meter(task)
    topic = topic_of(task.url, task.queue)
    broker = _broker(task)

    @broker.subscriber(
        topic,
        group_id=topic,
        batch=True,
        max_records=BATCH,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    async def handle(bodies: list[Event]) -> None:
        for body in bodies:
            meter.handled(body.data.sent)

    uvloop.run(FastStream(broker, logger=None).run())


@asynccontextmanager
async def sender(task: Task) -> AsyncIterator[Send]:
    """Publish, idempotent, confirmed."""
    topic = topic_of(task.url, task.queue)
    admin = AIOKafkaAdminClient(bootstrap_servers=servers_of(task.url))
    await admin.start()
    await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    await admin.close()
    async with _broker(task) as broker:

        async def send(work: Work) -> None:
            await broker.publish(event(work), topic)

        yield send


def _broker(task: Task) -> KafkaBroker:
    return KafkaBroker(
        servers_of(task.url),
        serializer=MsgSpecSerializer(),
        enable_idempotence=True,
        acks="all",
        logger=None,
    )


if __name__ == "__main__":
    main(consume, sender)
