"""What a worker and its cell say to each other: messages go in, questions and answers come out, replies go in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from worker.messaging.observing import How
from worker.messaging.transport import Ack, Again, Delivery, Outgoing, Release, Settlement
from worker.runtime.holding.breakers import BreakerFailure


class Order(msgspec.Struct, frozen=True, kw_only=True, tag_field="is"):
    """A message to be handled."""

    transport: str
    queue: str
    id: str
    body: bytes
    headers: Mapping[str, str]
    key: str | None


class Question(msgspec.Struct, frozen=True, kw_only=True, tag_field="is"):
    """What a cell asks its worker about the message in hand.

    Attributes:
        number: of the question; its reply has the same.
        id: of the message.
        type: likewise.
        failures: may it be spared these failures, by the worker's breakers? None: may it run with no other in flight?
    """

    number: int
    id: str
    type: str = ""
    failures: tuple[BreakerFailure, ...] | None = None


class Reply(msgspec.Struct, frozen=True, kw_only=True, tag_field="is"):
    """What the worker says: ``yes``, ``no``, or ``unknown`` where its database does not answer."""

    number: int
    says: str


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag_field="is"):
    """What became of it: how it is to be settled, and what a worker tells of it."""

    outcome: How
    type: str | None
    id: str
    settled: str = "ack"
    delay: float = 0.0
    outgoing: Outgoing | None = None

    def settlement(self, delivery: Delivery) -> Settlement:
        """Make the settlement of the delivery that was handled."""
        if self.settled == "again" and self.outgoing is not None:
            return Again(delivery, self.outgoing)
        return Ack(delivery) if self.settled == "ack" else Release(delivery, self.delay)


Replies = Callable[[Question], Awaitable[str]]
"""Answers a question; see ``Reply``."""

from_cell: Callable[[bytes], Question | Answer] = msgspec.msgpack.Decoder(Question | Answer).decode
"""Reads what a cell says."""

from_worker: Callable[[bytes], Order | Reply] = msgspec.msgpack.Decoder(Order | Reply).decode
"""Reads what its worker says."""
