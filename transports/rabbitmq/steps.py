"""What the broker is asked for when queues are set up or looked at, as data."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Queue(msgspec.Struct, frozen=True):
    """A durable queue: with ``arguments`` it is declared, with None only looked for."""

    name: str
    arguments: Mapping[str, str | int | bool] | None = None


class Exchange(msgspec.Struct, frozen=True):
    """A durable topic exchange; ``passive`` only looks for it."""

    name: str
    passive: bool = False


class QueueBinding(msgspec.Struct, frozen=True):
    """What an exchange routes to a queue."""

    queue: str
    exchange: str
    pattern: str


class ExchangeBinding(msgspec.Struct, frozen=True):
    """What the exchange ``source`` passes on to another one."""

    exchange: str
    source: str
    pattern: str


Step = Queue | Exchange | QueueBinding | ExchangeBinding


class Counted(msgspec.Struct, frozen=True):
    """A queue's messages that are ready, and its consumers; ``doubtful`` where the broker may not have known."""

    ready: int
    consumers: int
    doubtful: bool = False
