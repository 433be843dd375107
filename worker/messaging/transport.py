"""What a transport is: the contract every broker's folder fulfils, and the values that cross it.

The conformance suite in ``tests/conformance`` defines it executably. What a broker lacks is declared in its
``Features`` and made up for above this contract, once for all brokers; what some can do beyond it is in ``abilities``.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """What a transport can do, as data.

    Attributes:
        durable: messages outlive the process and the broker.
        shared: several processes can consume it at once.
        shares: how they do: each takes single messages, or holds whole partitions until it goes.
        ordering: ``key`` where one key's messages are handed out one at a time, in order.
        max_delay: longest delay the broker keeps by itself, seconds; 0 for none.
        lease: whether a held message comes back by time and must be extended.
        returns_after: seconds after which a dead worker's messages are handed out again at the latest; a broker that
            sees the connection go hands them out at once.
        replaces: whether ``Again`` swaps a message for its next attempt in one step.
        retries_in_place: where it does not: longest delay for which ``Again`` lets the next attempt of a message with a
            key, on a keyed queue, wait in its place, seconds; None where it never does.
        priorities: number of priority levels inside one queue.
        max_bytes: largest body.
        max_batch: messages in one publish.
        depth: how well ``Countable`` counts; ``late``: some minutes ago, and what is in hand is not told apart.
        counts_deliveries: ``Delivery.deaths`` is kept.
    """

    durable: bool = True
    shared: bool = True
    shares: Literal["message", "partition"] = "message"
    ordering: Literal["none", "key"] = "none"
    max_delay: float = 0.0
    lease: bool = False
    returns_after: float = 60.0
    replaces: bool = False
    retries_in_place: float | None = None
    priorities: int = 1
    max_bytes: int = 1_048_576
    max_batch: int = 1000
    depth: Literal["exact", "approximate", "late", "none"] = "none"
    counts_deliveries: bool = False


class QueueSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A queue as the application declares it: its name and the message types that wait there."""

    name: str
    types: tuple[str, ...]
    keyed: bool = False
    priority: int = 0


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """An encoded message to publish. ``delay`` is in seconds."""

    queue: str
    id: str
    type: str
    body: bytes
    key: str | None = None
    delay: float = 0.0
    priority: int = 0
    content_type: str = "application/cloudevents+json"


class OutcomeKind(enum.Enum):
    """What became of a published message."""

    ACCEPTED = "accepted"
    """Confirmed: it is as safe as the broker makes it."""
    UNROUTABLE = "unroutable"
    """There is no such queue."""
    REFUSED = "refused"
    """The broker will never take it as it is (too large, malformed)."""
    UNKNOWN = "unknown"
    """It may or may not have been taken: publish it again under the same id."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of one published message, and why."""

    kind: OutcomeKind
    detail: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the broker has confirmed the message."""
        return self.kind is OutcomeKind.ACCEPTED


ACCEPTED = Outcome(OutcomeKind.ACCEPTED)


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One hand-over of a message; immutable, nothing can be asked of it.

    Attributes:
        queue: where it was taken from.
        id: the id it was published under, or the broker's own; the same each time it is handed over.
        body: bytes as published.
        headers: broker-native headers as text.
        key: ordering key, when there is one.
        deaths: earlier deliveries that ended without settlement (a crash, a lost lease), not give-backs.
        redelivered: it was handed out before, perhaps to a worker that died of it. Always set where that may be so;
            a broker that cannot tell a give-back from a death sets it for both.
        receipt: what the transport needs to settle it.
    """

    queue: str
    id: str
    body: bytes
    receipt: Any
    headers: Mapping[str, str] = {}
    key: str | None = None
    deaths: int = 0
    redelivered: bool = False


class Ack(msgspec.Struct, frozen=True):
    """Done with: remove it."""

    delivery: Delivery


class Release(msgspec.Struct, frozen=True):
    """Give it back as it was, visible to others at once, nothing charged. ``delay`` holds it back, seconds."""

    delivery: Delivery
    delay: float = 0.0


class Again(msgspec.Struct, frozen=True):
    """Swap it for its next attempt in one step; only where ``Features`` say so. Keeps its place in its key."""

    delivery: Delivery
    outgoing: Outgoing


Settlement = Ack | Release | Again


class Settled(enum.Enum):
    """What became of a settlement."""

    DONE = "done"
    LOST = "lost"
    """The lease had run out or the delivery belongs to an earlier connection; nothing was changed."""
    UNKNOWN = "unknown"
    """The broker did not answer; the message may come back."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How far one partition of a queue is done: the offset that is committed, None before the first, and its end."""

    partition: int
    committed: int | None
    end: int


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages of a queue are in which state, and how many consume it; None where the broker cannot tell.

    ``oldest_age`` is seconds since the oldest one that is not done was published, ``positions`` how far each
    partition is done, where a queue has such.
    """

    ready: int | None = None
    in_flight: int | None = None
    delayed: int | None = None
    consumers: int | None = None
    oldest_age: float | None = None
    positions: tuple[Position, ...] = ()


class Subscription(Protocol):
    """A consumer's hold on one queue."""

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        """Take 1 to ``limit`` messages, waiting up to ``wait`` seconds; empty when none came.

        Cancelling it loses nothing: what it had claimed is given back.

        Raises:
            TransportUnavailable: the broker does not answer; try again, with a pause.
        """
        ...

    async def settle(self, items: Sequence[Settlement]) -> Sequence[Settled]:
        """Settle deliveries, one answer each in order; concurrent calls share a round trip. Never raises."""
        ...

    async def pause(self) -> None:
        """Stop taking and give back what was prefetched and not received, nothing charged. Idempotent."""
        ...

    async def resume(self) -> None:
        """Take messages again."""
        ...

    async def close(self, grace: float) -> None:
        """Give back what was not received; wait up to ``grace`` seconds for settlements under way."""
        ...


class Transport(Protocol):
    """A connection to one broker. Loop-bound: one instance in a process and loop."""

    name: str
    features: Features

    async def connect(self) -> None:
        """Open it.

        Raises:
            TransportUnavailable: the broker does not answer; names it, without password.
        """
        ...

    async def setup(self, queues: Sequence[QueueSpec]) -> None:
        """Create what is missing. Idempotent, and safe in several processes at once."""
        ...

    async def missing(self, queues: Sequence[QueueSpec]) -> Sequence[str]:
        """Names of what ``setup`` would create."""
        ...

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish, and return once each message's fate is known: one outcome a message, in order.

        Raises:
            TransportUnavailable: none of them was taken.
        """
        ...

    async def subscribe(self, queue: QueueSpec, *, slots: int) -> Subscription:
        """Start consuming a queue."""
        ...

    async def ping(self) -> None:
        """Prove that the broker answers, within a bounded time.

        Raises:
            TransportUnavailable: it does not.
        """
        ...

    async def close(self) -> None:
        """Let go of everything. Idempotent."""
        ...
