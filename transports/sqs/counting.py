"""Counts messages by state, as far as the service knows: it is about a minute behind."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from transports.sqs.connection import Connection
from transports.sqs.faults import Refused
from transports.sqs.queues import Queues
from worker.messaging.transport import Depth

_READY, _HELD, _DELAYED = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class Counter:
    """Asks for the attributes of queues."""

    def __init__(self, connection: Connection, queues: Queues) -> None:
        self._connection = connection
        self._queues = queues

    async def depth(self, queues: Sequence[str]) -> Mapping[str, Depth]:
        """Count approximately; zeros for a queue that was never set up.

        Raises:
            TransportUnavailable: the service does not answer, or refuses.
        """
        counted = await asyncio.gather(*(self._count(queue) for queue in queues))
        return dict(zip(queues, counted, strict=True))

    async def _count(self, queue: str) -> Depth:
        found = await self._queues.find(queue)
        if found is None:
            return Depth(ready=0, in_flight=0, delayed=0)
        try:
            answer = await self._connection.ask(
                "GetQueueAttributes", QueueUrl=found.url, AttributeNames=[_READY, _HELD, _DELAYED]
            )
        except Refused as refused:
            if refused.missing:
                self._queues.forget(queue)
                return Depth(ready=0, in_flight=0, delayed=0)
            raise self._connection.unavailable(refused) from refused
        told: Mapping[str, Any] = answer.get("Attributes", {})
        return Depth(
            ready=_number(told, _READY), in_flight=_number(told, _HELD), delayed=_number(told, _DELAYED)
        )


def _number(told: Mapping[str, Any], name: str) -> int | None:
    return int(told[name]) if name in told else None
