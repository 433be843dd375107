"""The threaded client as its guide shows it: for each message a callback in a thread of its pool, which acknowledges it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Event

from google.cloud import pubsub_v1

from benchmarks.peers.meter import Meter
from benchmarks.peers.program import Send, main
from benchmarks.peers.pubsub import declare, subscription_of, topic_of
from benchmarks.peers.task import Task
from benchmarks.peers.work import Work, decode, encode, event


def consume(task: Task) -> None:
    """Consume until terminated."""
    meter = Meter(task)
    ending = Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    client = pubsub_v1.SubscriberClient()

    def handle(message: pubsub_v1.subscriber.message.Message) -> None:
        meter.handled(decode(message.data).data.sent)
        message.ack()

    pulling = client.subscribe(subscription_of(task), callback=handle)
    ending.wait()
    pulling.cancel()
    pulling.result()


@asynccontextmanager
async def sender(task: Task) -> AsyncIterator[Send]:
    """Publish; the client makes batches."""
    await declare(task)
    topic = topic_of(task)
    client = pubsub_v1.PublisherClient()

    async def send(work: Work) -> None:
        await asyncio.wrap_future(client.publish(topic, encode(event(work))))

    yield send
    await asyncio.to_thread(client.stop)


if __name__ == "__main__":
    main(consume, sender)
