"""FastStream: a batch subscriber, read by msgspec, its batch committed after handling; without its log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker

from benchmarks.peers.kafka import BATCH, PARTITIONS, servers_of, topic_of
from benchmarks.peers.meter import Meter
from benchmarks.peers.program import Send, main
from benchmarks.peers.task import Task
from benchmarks.peers.work import Work, decode, encode, event


def consume(task: Task) -> None:
    """Consume until terminated."""
    meter = Meter(task)
    topic = topic_of(task.url, task.queue)
    broker = KafkaBroker(servers_of(task.url), logger=None)

    @broker.subscriber(
        topic,
        group_id=topic,
        batch=True,
        max_records=BATCH,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    async def handle(bodies: list[bytes]) -> None:
        for body in bodies:
            meter.handled(decode(body).data.sent)

    uvloop.run(FastStream(broker, logger=None).run())


@asynccontextmanager
async def sender(task: Task) -> AsyncIterator[Send]:
    """Publish, idempotent, confirmed."""
    topic = topic_of(task.url, task.queue)
    admin = AIOKafkaAdminClient(bootstrap_servers=servers_of(task.url))
    await admin.start()
    await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    await admin.close()
    async with KafkaBroker(servers_of(task.url), enable_idempotence=True, acks="all", logger=None) as broker:

        async def send(work: Work) -> None:
            await broker.publish(encode(event(work)), topic)

        yield send


if __name__ == "__main__":
    main(consume, sender)
