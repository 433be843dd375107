"""aiobotocore alone: receives ten, decodes and handles them, and deletes them with one request; four such loops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvloop

from benchmarks.peers.meter import Meter
from benchmarks.peers.program import Send, main, until_terminated
from benchmarks.peers.sqs import MOST, POLLERS, opened, prefix_of
from benchmarks.peers.task import Task
from benchmarks.peers.work import Work, decode, encode, event


def consume(task: Task) -> None:
    """Consume until terminated."""
    uvloop.run(_consume(task))


async def _consume(task: Task) -> None:
    meter = Meter(task)
    ending = asyncio.Event()
    async with opened(task.url) as client:
        queue = (await client.get_queue_url(QueueName=prefix_of(task.url) + task.queue))["QueueUrl"]

        async def poll() -> None:
            while not ending.is_set():
                found = await client.receive_message(
                    QueueUrl=queue, MaxNumberOfMessages=MOST, WaitTimeSeconds=1
                )
                messages = found.get("Messages", ())
                if not messages:
                    continue
                for message in messages:
                    meter.handled(decode(message["Body"]).data.sent)
                entries = [
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(messages)
                ]
                await client.delete_message_batch(QueueUrl=queue, Entries=entries)

        polls = [asyncio.create_task(poll()) for _ in range(POLLERS)]
        await until_terminated()
        ending.set()
        await asyncio.gather(*polls)


@asynccontextmanager
async def sender(task: Task) -> AsyncIterator[Send]:
    """Send in batches of ten, four requests at once."""
    async with opened(task.url) as client:
        made = await client.create_queue(QueueName=prefix_of(task.url) + task.queue)
        waiting: list[tuple[str, asyncio.Future[None]]] = []
        tasks: set[asyncio.Task[None]] = set()
        lanes = asyncio.Semaphore(POLLERS)

        async def flush(batch: list[tuple[str, asyncio.Future[None]]]) -> None:
            async with lanes:
                entries: list[Any] = [
                    {"Id": str(number), "MessageBody": body} for number, (body, _) in enumerate(batch)
                ]
                answer = await client.send_message_batch(QueueUrl=made["QueueUrl"], Entries=entries)
                assert len(answer["Successful"]) == len(batch), answer
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
            waiting.append((encode(event(work)).decode(), sent))
            if len(waiting) == MOST:
                leave()
            else:
                asyncio.get_running_loop().call_soon(leave)
            await sent

        yield send


if __name__ == "__main__":
    main(consume, sender)
