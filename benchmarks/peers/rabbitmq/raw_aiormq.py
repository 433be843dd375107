"""aiormq alone: a callback that decodes, handles and acks each message, without waiting for the write."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiormq
import uvloop
from aiormq.abc import DeliveredMessage

from benchmarks.peers.countdown import Countdown
from benchmarks.peers.meter import Meter
from benchmarks.peers.program import Send, main, until_terminated
from benchmarks.peers.rabbitmq import PREFETCH, QUORUM
from benchmarks.peers.task import Task
from benchmarks.peers.work import Work, decode, encode, event


def consume(task: Task) -> None:
    """Consume until terminated."""
    uvloop.run(_consume(task))


async def _consume(task: Task) -> None:
    meter = Meter(task)
    acked = Countdown(task.messages)
    connection = await aiormq.connect(task.url)
    channel = await connection.channel()

    async def take(message: DeliveredMessage) -> None:
        meter.handled(decode(message.body).data.sent)
        assert message.delivery_tag is not None
        await channel.basic_ack(message.delivery_tag, wait=False)
        acked.step()

    await channel.basic_qos(prefetch_count=PREFETCH)
    await channel.queue_declare(task.queue, durable=True, arguments=QUORUM)
    await channel.basic_consume(task.queue, take)
    await until_terminated()
    await acked.reached()
    await channel.close()  # answered when all acks before it were read
    await connection.close()


@asynccontextmanager
async def sender(task: Task) -> AsyncIterator[Send]:
    """Publish to the default exchange, confirmed."""
    connection = await aiormq.connect(task.url)
    channel = await connection.channel(publisher_confirms=True)
    await channel.queue_declare(task.queue, durable=True, arguments=QUORUM)

    async def send(work: Work) -> None:
        properties = aiormq.spec.Basic.Properties(delivery_mode=2, content_type="application/json")
        body = encode(event(work))
        await channel.basic_publish(body, routing_key=task.queue, properties=properties, mandatory=True)

    yield send
    await connection.close()


if __name__ == "__main__":
    main(consume, sender)
