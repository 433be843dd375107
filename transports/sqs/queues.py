"""Which SQS queue stands for a queue of the application: its address and its limits, looked up once."""

from __future__ import annotations

import asyncio

import msgspec

from transports.sqs import names
from transports.sqs.connection import Connection
from transports.sqs.faults import Refused
from transports.sqs.settings import Settings
from worker.messaging.transport import QueueSpec


class Queue(msgspec.Struct, frozen=True):
    """A queue on SQS.

    Attributes:
        url: its address.
        fifo: whether it keeps the order of each group.
        limit: bytes that a message may have there, its attributes counted in; None where the service does not say.
    """

    url: str
    fifo: bool
    limit: int | None


class Queues:
    """Known queues. One that is missing is looked up each time: another process may make it at any moment."""

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._connection = connection
        self._settings = settings
        self._known: dict[str, Queue] = {}
        self._declared: dict[str, bool] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    def declare(self, spec: QueueSpec) -> str:
        """Note which kind a queue is, and return its name on SQS."""
        fifo = self._declared[spec.name] = self._settings.is_fifo(keyed=spec.keyed)
        return names.physical(self._settings.prefix, spec.name, fifo=fifo)

    async def find(self, queue: str) -> Queue | None:
        """Return a queue by the application's name; None where it is not set up.

        Raises:
            TransportUnavailable: the service does not answer.
        """
        known = self._known.get(queue)
        if known is not None:
            return known
        async with self._asking.setdefault(queue, asyncio.Lock()):
            if queue not in self._known and (found := await self._look(queue)) is not None:
                self._known[queue] = found
        return self._known.get(queue)

    def forget(self, queue: str) -> None:
        """Look it up anew next time: the service does not know it any more."""
        self._known.pop(queue, None)

    async def url(self, name: str) -> str | None:
        """The address of a queue by its name on SQS; None where there is none.

        Raises:
            TransportUnavailable: the service does not answer, or refuses.
        """
        try:
            answer = await self._connection.ask("GetQueueUrl", QueueName=name)
        except Refused as refused:
            if refused.missing:
                return None
            raise self._connection.unavailable(refused) from refused
        return str(answer["QueueUrl"])

    async def _look(self, queue: str) -> Queue | None:
        declared = self._declared.get(queue)
        kinds = (True, False) if self._settings.fifo == "keyed" else (self._settings.fifo == "all",)
        for fifo in kinds if declared is None else (declared,):
            url = await self.url(names.physical(self._settings.prefix, queue, fifo=fifo))
            if url is not None:
                return Queue(url, fifo, await self._limit(url))
        return None

    async def _limit(self, url: str) -> int | None:
        try:
            answer = await self._connection.ask(
                "GetQueueAttributes", QueueUrl=url, AttributeNames=["MaximumMessageSize"]
            )
        except Refused:
            return None  # a server that does not know the attribute, or a queue that has just gone
        told = answer.get("Attributes", {}).get("MaximumMessageSize")
        return int(told) if told else None
