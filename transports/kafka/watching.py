"""Watching a member: whether the brokers answer, and whether what waits there comes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from aiokafka import TopicPartition

from transports.kafka.administration import Administration
from transports.kafka.bundle import Bundle
from transports.kafka.connection import Connection
from transports.kafka.windows import Windows
from worker.errors import TransportUnavailable

_PROBE = 5.0
_DEAF = 60.0
"""Seconds without a message, while messages wait, after which the member is made anew."""


class Watched(Protocol):
    """What is watched of a member, and what it is told."""

    down: str | None

    @property
    def paused(self) -> bool:
        """Whether nothing at all may be read."""
        ...

    def stopped(self, topic: str) -> bool:
        """Whether nothing may be read of a topic."""
        ...

    def wake(self) -> None:
        """Let every waiting ``receive`` look again."""
        ...


class Watch:
    """Asks the brokers while nothing comes: the driver itself does not tell when they are gone.

    Args:
        member: is told when they do not answer.
        connection: bounds each question.
        administration: asked when no partition is held.
        consumer: the driver's; it is asked over its own connections.
        windows: what is held.
    """

    def __init__(
        self,
        member: Watched,
        connection: Connection,
        administration: Administration,
        consumer: Any,
        windows: Windows | Bundle,
    ) -> None:
        self._member = member
        self._connection = connection
        self._administration = administration
        self._consumer = consumer
        self._windows = windows
        self._began = 0.0

    @property
    def quiet(self) -> float:
        """Seconds since something came, or could first come."""
        return asyncio.get_running_loop().time() - self._began

    def began(self) -> None:
        """Note that something came, or may come from now on."""
        self._began = asyncio.get_running_loop().time()

    async def run(self, assigned: asyncio.Event) -> None:
        """Watch until cancelled.

        Raises:
            TransportUnavailable: there was no answer, or no message though some wait, for so long that new
                connections should be made.
        """
        loop = asyncio.get_running_loop()
        answered = loop.time()
        while True:
            await asyncio.sleep(1.0 if self._member.down is not None else _PROBE)
            if loop.time() - self._began < _PROBE:
                answered = loop.time()
                continue
            try:
                waiting = await self._waiting(assigned)
            except TransportUnavailable as error:
                self._member.down = str(error)
                self._member.wake()
                if loop.time() - answered > 2 * self._connection.settings.session_timeout:
                    raise
                continue
            answered = loop.time()
            self._member.down = None
            windows = self._windows
            if self._member.paused or not assigned.is_set() or windows.out or windows.ready:
                self._began = max(self._began, loop.time() - _PROBE)
            elif waiting and loop.time() - self._began > _DEAF:
                raise self._connection.unavailable(f"nothing comes, though {waiting} messages wait")

    async def _waiting(self, assigned: asyncio.Event) -> int:
        """Return how many messages lie unread in partitions that may be read."""
        found = self._windows.open() if assigned.is_set() else ()
        partitions = [TopicPartition(*one) for one in found if not self._member.stopped(one[0])]
        if not partitions:
            await self._administration.ask("ping", lambda client: client.describe_topics([]))
            return 0
        ends: Mapping[TopicPartition, int] = await self._connection.within(
            "looking for messages", self._consumer.end_offsets(partitions)
        )
        held = self._windows.by_partition
        read = {tp: held[tp.topic, tp.partition].position for tp in ends if (tp.topic, tp.partition) in held}
        return sum(max(ends[tp] - (position or 0), 0) for tp, position in read.items())
