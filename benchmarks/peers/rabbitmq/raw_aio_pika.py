"""aio-pika alone: a callback that decodes, handles and acks each message."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
import uvloop
from aio_pika.abc import AbstractIncomingMessage

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

    async def take(message: AbstractIncomingMessage) -> None:
        meter.handled(decode(message.body).data.sent)
        await message.ack()
        acked.step()

    async with await aio_pika.connect(task.url) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=PREFETCH)
        queue = await channel.declare_queue(task.queue, durable=True, arguments=QUORUM)
        await queue.consume(take)
        await until_terminated()
        await acked.reached()
        await channel.close()


@asynccontextmanager
async def sender(task: Task) -> AsyncIterator[Send]:
    """Publish to the default exchange, confirmed."""
    async with await aio_pika.connect(task.url) as connection:
        channel = await connection.channel(publisher_confirms=True)
        await channel.declare_queue(task.queue, durable=True, arguments=QUORUM)
        exchange = channel.default_exchange

        async def send(work: Work) -> None:
            body = encode(event(work))
            message = aio_pika.Message(
                body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT, content_type="application/json"
            )
            await exchange.publish(message, task.queue)

        yield send


if __name__ == "__main__":
    main(consume, sender)
