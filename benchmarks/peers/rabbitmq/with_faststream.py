"""FastStream: a subscriber with a typed message, read by msgspec, acked after handling; without its log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop
from fast_depends.msgspec import MsgSpecSerializer
from faststream import FastStream
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue

from benchmarks.peers.meter import Meter
from benchmarks.peers.program import Send, main
from benchmarks.peers.rabbitmq import PREFETCH
from benchmarks.peers.task import Task
from benchmarks.peers.work import Event, Work, event


def consume(task: Task) -> None:
    """Consume until terminated."""
    meter = Meter(task)
    broker = _broker(task)

    @broker.subscriber(_queue(task))
    async def handle(body: Event) -> None:
        meter.handled(body.data.sent)

    uvloop.run(FastStream(broker, logger=None).run())


@asynccontextmanager
async def sender(task: Task) -> AsyncIterator[Send]:
    """Publish, confirmed."""
    async with _broker(task) as broker:
        await broker.declare_queue(_queue(task))

        async def send(work: Work) -> None:
            await broker.publish(event(work), task.queue, persist=True)

        yield send


def _broker(task: Task) -> RabbitBroker:
    channel = Channel(prefetch_count=PREFETCH)
    return RabbitBroker(task.url, default_channel=channel, serializer=MsgSpecSerializer(), logger=None)


def _queue(task: Task) -> RabbitQueue:
    return RabbitQueue(task.queue, queue_type=QueueType.QUORUM, durable=True)


if __name__ == "__main__":
    main(consume, sender)
