"""confluent-kafka: batches from librdkafka, a commit beside each; publishing with a future for each message."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks.peers.kafka import BATCH, PARTITIONS, servers_of, topic_of
from benchmarks.peers.meter import Meter
from benchmarks.peers.program import Send, main
from benchmarks.peers.task import Task
from benchmarks.peers.work import Work, decode, encode, event


def consume(task: Task) -> None:
    """Consume until terminated."""
    meter = Meter(task)
    topic = topic_of(task.url, task.queue)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    consumer = Consumer(
        {
            "bootstrap.servers": servers_of(task.url),
            "group.id": topic,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.queue.backoff.ms": 5,
        }
    )
    consumer.subscribe([topic])
    while not stop.is_set():
        found = consumer.consume(BATCH, 0.5)
        for message in found:
            value = message.value()
            assert isinstance(value, bytes)
            meter.handled(decode(value).data.sent)
        if found:
            consumer.commit(asynchronous=True)
    consumer.commit(asynchronous=False)
    consumer.close()


@asynccontextmanager
async def sender(task: Task) -> AsyncIterator[Send]:
    """Publish, idempotent; delivery reports set futures."""
    servers, topic = servers_of(task.url), topic_of(task.url, task.queue)
    admin = AdminClient({"bootstrap.servers": servers})
    for made in admin.create_topics([NewTopic(topic, PARTITIONS, 1)]).values():
        made.exception()  # waits; it is there already the second time
    producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True, "linger.ms": 0})
    loop = asyncio.get_running_loop()

    async def poll() -> None:
        while True:
            producer.poll(0)
            await asyncio.sleep(0.0005)

    polling = asyncio.create_task(poll())

    async def send(work: Work) -> None:
        future: asyncio.Future[Any] = loop.create_future()

        def told(error: Any, _message: Any) -> None:
            future.set_exception(RuntimeError(error)) if error else future.set_result(None)

        producer.produce(topic, encode(event(work)), on_delivery=told)
        await future

    yield send
    polling.cancel()
    producer.flush(10)


if __name__ == "__main__":
    main(consume, sender)
