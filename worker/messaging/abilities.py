"""What some transports and their subscriptions can do beyond the contract in ``transport``: each is asked for where it is used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from worker.messaging.transport import Delivery, Depth, Outcome, Outgoing, Settled

Confirms = Callable[[], Awaitable[Sequence[Outcome]]]
"""Waits for the outcomes of what was written: one a message, in order."""


@runtime_checkable
class Posts(Protocol):
    """A transport that can write at once: its broker works on the first of a burst while the rest is being made."""

    def post(self, batch: Sequence[Outgoing]) -> Confirms | None:
        """Write a batch now, if nothing has to be waited for first; its outcomes come as those of ``publish``.

        None where something has to: nothing was written, publish it.
        """
        ...


@runtime_checkable
class ExtendsLease(Protocol):
    """A subscription whose deliveries come back by time unless extended."""

    lease: float
    """Seconds."""

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold them for another lease; LOST where another consumer has them by now."""
        ...


@runtime_checkable
class Foretells(Protocol):
    """A subscription that is pushed what it hands out: that little has come does not mean that no more waits.

    Where a subscription is none, a ``receive`` that brings less than was asked for has brought all that was due.
    """

    async def exhausted(self) -> bool:
        """Whether nothing waits at the broker that could be handed out here now; what has come is not counted.

        False as long as that is not known.

        Raises:
            TransportUnavailable: the broker does not answer.
        """
        ...


@runtime_checkable
class Recalls(Protocol):
    """A subscription that loses its hold at the broker's word or with its connection, and asks for what was not started."""

    recalled: Callable[[], None] | None
    """Called when it must let go soon, or has lost it: give back at once what was received and not started."""


@runtime_checkable
class MadeByConnecting(Protocol):
    """A transport that is a file: connecting makes it where it is missing."""

    def there(self) -> bool:
        """Whether the file is there."""
        ...


@runtime_checkable
class Countable(Protocol):
    """A transport that can tell how much waits."""

    async def depth(self, queues: Sequence[str]) -> Mapping[str, Depth]:
        """Count messages by queue and state."""
        ...


@runtime_checkable
class TellsEmpty(Protocol):
    """A transport that can tell for certain that a queue holds nothing, though it cannot count everything."""

    async def is_empty(self, queue: str) -> bool:
        """Tell whether the queue holds nothing: neither waiting, delayed nor handed out. False where that is not known.

        Raises:
            TransportUnavailable: the broker does not answer.
        """
        ...


@runtime_checkable
class Findable(Protocol):
    """A transport that can look messages up by id."""

    async def holds(self, queue: str, ids: Sequence[str]) -> frozenset[str]:
        """Return those of ``ids`` that the queue still has: waiting, delayed or handed out.

        Raises:
            TransportUnavailable: the broker does not answer.
        """
        ...


class Requests(msgspec.Struct, frozen=True, kw_only=True):
    """How many requests are made of a broker that is paid by the request.

    Attributes:
        queues: of the application there.
        processes: that take from them.
        idle: an hour, while nothing comes.
        busy: an hour, of asking alone, while a little comes to each queue all the time.
        per_message: for each message from its sending to its end, in full batches.
        per_lone_message: likewise where each comes alone.
    """

    queues: int
    processes: int
    idle: float
    busy: float
    per_message: float
    per_lone_message: float


@runtime_checkable
class Priced(Protocol):
    """A transport whose broker is paid by the request."""

    def requests(self, queues: int, processes: int) -> Requests:
        """Say how many requests so many queues in so many processes make, as it is configured."""
        ...
