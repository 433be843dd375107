"""An SQS server as a ground: a prefix for each measurement, its queues removed afterwards."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol

from benchmarks.contest.copies import renewing
from benchmarks.peers.sqs import opened, prefix_of

_AT_ONCE = 10
_LANES = 8
_COUNTED = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class Broker(Protocol):
    """What is asked of ``tests.brokers.sqs.Sqs``."""

    url: str
    how: str


class SqsGround:
    """One server; nothing of the real service."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """A prefix that nothing else uses."""
        url = f"{self._broker.url}&prefix=b{uuid.uuid4().hex[:12]}-"
        yield url
        asyncio.run(_remove(url))

    def multiply(self, url: str, queue: str, messages: int) -> None:
        """Take the one message out and send copies."""
        asyncio.run(_multiply(url, queue, messages))

    def left(self, url: str, queue: str) -> int:
        """Count what was not deleted, be it handed out or not."""
        return asyncio.run(_left(url, queue))

    def facts(self) -> dict[str, str]:
        """Where it came from."""
        return {"sqs": f"1 server; {self._broker.how}"}


@asynccontextmanager
async def _queue(url: str, queue: str) -> AsyncIterator[tuple[Any, str]]:
    async with opened(url) as client:
        yield client, (await client.get_queue_url(QueueName=prefix_of(url) + queue))["QueueUrl"]


async def _multiply(url: str, queue: str, messages: int) -> None:
    async with _queue(url, queue) as (client, address):
        found = await client.receive_message(
            QueueUrl=address, MaxNumberOfMessages=1, WaitTimeSeconds=5, MessageAttributeNames=["All"]
        )
        (sample,) = found["Messages"]
        starts = iter(range(0, messages, _AT_ONCE))

        async def send() -> None:
            for start in starts:
                entries = [
                    {"Id": str(number), **_copy(sample)} for number in range(min(_AT_ONCE, messages - start))
                ]
                answer = await client.send_message_batch(QueueUrl=address, Entries=entries)
                assert len(answer["Successful"]) == len(entries), answer

        await asyncio.gather(*(send() for _ in range(_LANES)))
        await client.delete_message(QueueUrl=address, ReceiptHandle=sample["ReceiptHandle"])


def _copy(sample: Mapping[str, Any]) -> Mapping[str, Any]:
    renewed = renewing()
    attributes = {
        name: {"DataType": value["DataType"], "StringValue": renewed(value["StringValue"])}
        for name, value in sample.get("MessageAttributes", {}).items()
    }
    body = sample["Body"]
    try:
        packed = base64.b64decode(body, validate=True).decode()  # as Celery writes it
    except ValueError:
        return {"MessageBody": renewed(body), "MessageAttributes": attributes}
    return {
        "MessageBody": base64.b64encode(renewed(packed).encode()).decode(),
        "MessageAttributes": attributes,
    }


async def _left(url: str, queue: str) -> int:
    async with _queue(url, queue) as (client, address):
        told = await client.get_queue_attributes(QueueUrl=address, AttributeNames=list(_COUNTED))
    return sum(int(told["Attributes"].get(name, 0)) for name in _COUNTED)


async def _remove(url: str) -> None:
    async with opened(url) as client:
        made = await client.list_queues(QueueNamePrefix=prefix_of(url))
        for address in made.get("QueueUrls", ()):
            await client.delete_queue(QueueUrl=address)
