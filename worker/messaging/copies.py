"""Port: copies of what is published to a broker that keeps it in memory only."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple, Protocol, runtime_checkable

from worker.messaging.transport import Outgoing


class Copied(NamedTuple):
    """Names a copy: an attempt of a message has another body than the one before, and so another mark."""

    queue: str
    id: str
    mark: str


def mark_of(body: bytes) -> str:
    """Tell bodies of one message apart."""
    return blake2b(body, digest_size=8).hexdigest()


class Copies(Protocol):
    """Keeps a copy of each message until it is done with, so that it can be published again when its broker has lost it.

    Every method raises Unavailable when the copies cannot be reached.
    """

    async def keep(self, transport: str, batch: Sequence[Outgoing]) -> None:
        """Keep copies of messages that are about to be published."""
        ...

    async def drop(self, transport: str, copies: Sequence[Copied]) -> None:
        """Forget copies: their messages are done with, or were not taken."""
        ...

    async def now(self) -> float:
        """The time by which copies are kept."""
        ...

    async def send_again(self, transport: str, queue: str, before: float) -> int:
        """Have all that was kept for a queue until ``before`` published again, in order; say how much that is."""
        ...


@runtime_checkable
class TakesCopies(Protocol):
    """A transport that sees to copies, where it is given some.

    Attributes:
        volatile: its broker loses what it has confirmed when it is restarted: it should be given some.
        copies: where they are kept; None for nowhere.
    """

    volatile: bool
    copies: Copies | None
