"""The asyncio client alone: pulls, decodes and handles what came, and acknowledges it with one request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import uvloop
from google.api_core.exceptions import DeadlineExceeded

from benchmarks.peers.meter import Meter
from benchmarks.peers.program import Send, main, until_terminated
from benchmarks.peers.pubsub import (
    BATCH,
    LANES,
    MOST,
    declare,
    publishing,
    subscribing,
    subscription_of,
    topic_of,
)
from benchmarks.peers.task import Task
from benchmarks.peers.work import Work, decode, encode, event


def consume(task: Task) -> None:
    """Consume until terminated."""
    uvloop.run(_consume(task))


async def _consume(task: Task) -> None:
    meter = Meter(task)
    subscription = subscription_of(task)
    async with subscribing() as client:

        async def pull() -> None:
            while True:
                with suppress(DeadlineExceeded):
                    found = await client.pull(
                        subscription=subscription, max_messages=MOST, retry=None, timeout=30.0
                    )
                    ids = []
                    for received in found.received_messages:
                        meter.handled(decode(received.message.data).data.sent)
                        ids.append(received.ack_id)
                    if ids:
                        await client.acknowledge(subscription=subscription, ack_ids=ids)

        pulling = asyncio.create_task(pull())
        await until_terminated()
        pulling.cancel()
        with suppress(asyncio.CancelledError):
            await pulling


@asynccontextmanager
async def sender(task: Task) -> AsyncIterator[Send]:
    """Publish in batches of a hundred, eight requests at once."""
    await declare(task)
    topic = topic_of(task)
    async with publishing() as client:
        waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        tasks: set[asyncio.Task[None]] = set()
        lanes = asyncio.Semaphore(LANES)

        async def flush(batch: list[tuple[bytes, asyncio.Future[None]]]) -> None:
            async with lanes:
                answer = await client.publish(topic=topic, messages=[{"data": body} for body, _ in batch])
                assert len(answer.message_ids) == len(batch)
            for _, sent in batch:
                sent.set_result(None)

        def leave() -> None:
            if waiting:
                begun = asyncio.create_task(flush(waiting.copy()))
                tasks.add(begun)
                begun.add_done_callback(tasks.discard)
                waiting.clear()

        async def send(work: Work) -> None:
            sent = asyncio.get_running_loop().create_future()
            waiting.append((encode(event(work)), sent))
            if len(waiting) == BATCH:
                leave()
            else:
                asyncio.get_running_loop().call_soon(leave)
            await sent

        yield send


if __name__ == "__main__":
    main(consume, sender)
