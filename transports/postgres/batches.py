"""Batches: what callers publish and settle, gathered, each with the moment at which it was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from transports.gathering import Gathering
from transports.postgres.connection import Connection
from transports.postgres.faults import OutcomeUnknown
from transports.postgres.link import Link
from transports.postgres.publishing import Due, Publishing
from transports.postgres.settling import Asked, Settling
from worker.errors import TransportUnavailable
from worker.messaging.transport import Again, Outcome, Outgoing, Settled, Settlement

_ROWS, _BYTES = 1000, 8 * 1024 * 1024
"""The most rows and bytes that one statement takes."""

_PAUSE = 0.2
"""Seconds between two tries to settle while the server does not answer."""

Item = TypeVar("Item")


class Request(NamedTuple, Generic[Item]):
    """What one caller asked for, and when: delays begin at that time, however long the server takes."""

    items: Sequence[Item]
    at: float


class Publishes:
    """Publishes in one statement what callers ask for while the previous statement is under way.

    Args:
        link: to the server.
        publishing: what is done there.
        timer: seconds; delays are measured with it.
    """

    def __init__(self, link: Link, publishing: Publishing, timer: Callable[[], float]) -> None:
        self._link = link
        self._publishing = publishing
        self._timer = timer
        self._gathering: Gathering[Request[Outgoing], list[Outcome]] = Gathering(
            self._do, lambda request: sum(map(_weight, request.items))
        )

    def submit(self, messages: Sequence[Outgoing]) -> asyncio.Future[list[Outcome]]:
        """Publish; the future raises OutcomeUnknown, or TransportUnavailable where none was taken."""
        return self._gathering.submit(Request(messages, self._timer()))

    async def finish(self) -> None:
        """Wait until everything is answered."""
        await self._gathering.finish()

    async def _do(self, requests: Sequence[Request[Outgoing]]) -> list[list[Outcome]]:
        async def publish(connection: Connection) -> list[Outcome]:
            """Publish when the link is free; until then delays have partly run out."""
            now = self._timer()
            due = [
                Due(item, item.delay - (now - request.at)) for request in requests for item in request.items
            ]
            return await self._publishing.publish(connection, due)

        return _parted(await self._link.run(publish), requests)


class Settles:
    """Settles together what callers ask for. It waits out a short outage, so that no handler runs again for it.

    Args:
        link: to the server.
        settling: what is done there.
        timer: seconds; delays are measured with it.
        patience: how long an outage is waited out, seconds.
    """

    def __init__(self, link: Link, settling: Settling, timer: Callable[[], float], patience: float) -> None:
        self._link = link
        self._settling = settling
        self._timer = timer
        self._patience = patience
        self._gathering: Gathering[Request[Settlement], list[Settled]] = Gathering(
            self._do, lambda request: sum(map(_settlement_weight, request.items))
        )

    def submit(self, items: Sequence[Settlement]) -> asyncio.Future[list[Settled]]:
        """Settle; the future raises TransportUnavailable where it is not known how it went."""
        return self._gathering.submit(Request(items, self._timer()))

    def give_up(self) -> None:
        """Do not try again what fails from now on: the transport is being closed."""
        self._patience = 0.0

    async def finish(self) -> None:
        """Wait until everything is answered."""
        await self._gathering.finish()

    async def _do(self, requests: Sequence[Request[Settlement]]) -> list[list[Settled]]:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        doubtful = False
        while True:
            try:
                return _parted(await self._once(requests, doubtful=doubtful), requests)
            except TransportUnavailable as error:
                doubtful = doubtful or isinstance(error, OutcomeUnknown)
                if loop.time() >= begun + self._patience:
                    raise
            await asyncio.sleep(_PAUSE)

    async def _once(self, requests: Sequence[Request[Settlement]], *, doubtful: bool) -> list[Settled]:
        async def settle(connection: Connection) -> list[Settled]:
            """Settle when the link is free; until then delays have partly run out."""
            now = self._timer()
            asked = [Asked(item, now - request.at) for request in requests for item in request.items]
            return await self._settling.settle(connection, asked)

        answers = await self._link.run(settle)
        if doubtful:  # a claim that is not there any more may have been settled by an earlier try
            return [Settled.UNKNOWN if answer is Settled.LOST else answer for answer in answers]
        return answers


def _weight(message: Outgoing) -> float:
    return 1 / _ROWS + len(message.body) / _BYTES


def _settlement_weight(item: Settlement) -> float:
    return _weight(item.outgoing) if isinstance(item, Again) else 1 / _ROWS


def _parted(answers: Sequence[Any], requests: Sequence[Request[Any]]) -> list[list[Any]]:
    parts, start = [], 0
    for request in requests:
        parts.append(list(answers[start : start + len(request.items)]))
        start += len(request.items)
    return parts
