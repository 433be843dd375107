"""The asyncio client alone on a streaming pull; each answer's messages are acknowledged with one request beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import uvloop
from google.pubsub_v1 import types

from benchmarks.peers.meter import Meter
from benchmarks.peers.program import main, until_terminated
from benchmarks.peers.pubsub import MOST, subscribing, subscription_of
from benchmarks.peers.pubsub.raw_asyncio import sender
from benchmarks.peers.task import Task
from benchmarks.peers.work import decode


def consume(task: Task) -> None:
    """Consume until terminated."""
    uvloop.run(_consume(task))


async def _consume(task: Task) -> None:
    meter = Meter(task)
    subscription = subscription_of(task)
    ending = asyncio.Event()

    async def requests() -> AsyncIterator[types.StreamingPullRequest]:
        yield types.StreamingPullRequest(
            subscription=subscription, stream_ack_deadline_seconds=60, max_outstanding_messages=MOST
        )
        await ending.wait()  # the stream is closed when its requests end

    async with subscribing() as client:

        async def pull() -> None:
            stream = await client.streaming_pull(requests=requests(), retry=None, timeout=None)
            async for answer in stream:
                ids = []
                for received in answer.received_messages:
                    meter.handled(decode(received.message.data).data.sent)
                    ids.append(received.ack_id)
                if ids:
                    await client.acknowledge(subscription=subscription, ack_ids=ids)

        pulling = asyncio.create_task(pull())
        await until_terminated()
        ending.set()
        pulling.cancel()
        with suppress(asyncio.CancelledError):
            await pulling


if __name__ == "__main__":
    main(consume, sender)
