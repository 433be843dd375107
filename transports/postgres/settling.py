"""Settles deliveries: acks, give-backs and next attempts of one turn in a few statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from transports.postgres import lanes
from transports.postgres.claiming import Receipt
from transports.postgres.connection import Connection
from transports.postgres.numbers import Numbers
from transports.postgres.publishing import DEFAULT_CONTENT_TYPE, Due, Publishing, judge
from transports.postgres.schema import NOW
from worker.messaging.keys import carried
from worker.messaging.transport import Ack, Again, Release, Settled, Settlement

_HELD = "unnest($1::bigint[], $2::bigint[]) AS held (id, lease) WHERE m.id = held.id AND m.lease = held.lease"
_REMOVE = f"DELETE FROM transport_messages AS m USING {_HELD} RETURNING m.id, held.lease"
_RELEASE = f"""UPDATE transport_messages AS m SET visible_at = {NOW.format("$4")} + held.delay, lease = NULL,
    deaths = m.deaths - 1
    FROM unnest($1::bigint[], $2::bigint[], $3::float8[]) AS held (id, lease, delay)
    WHERE m.id = held.id AND m.lease = held.lease RETURNING m.id, held.lease"""
_SWAP = f"""UPDATE transport_messages AS m SET visible_at = {NOW.format("$6")} + held.delay, lease = NULL,
    deaths = 0, body = held.body, content_type = held.content_type
    FROM unnest($1::bigint[], $2::bigint[], $3::float8[], $4::text[], $5::bytea[])
        AS held (id, lease, delay, content_type, body)
    WHERE m.id = held.id AND m.lease = held.lease RETURNING m.id, held.lease"""
_UNLIMITED = 2**31 - 1


class Asked(NamedTuple):
    """A settlement, and how many seconds ago it was asked for: its delay began then."""

    item: Settlement
    ago: float


class Work:
    """What a group of settlements comes down to; each delivery is in it once."""

    def __init__(self) -> None:
        self.acks: list[Ack] = []
        self.keyed_acks: list[Ack] = []
        self.releases: list[Release] = []
        self.swaps: list[Again] = []
        self.moves: list[Again] = []
        self.ago: dict[Receipt, float] = {}
        self.answers: dict[Receipt, Settled] = {}

    def add(self, asked: Asked, numbers: Mapping[str, int]) -> bool:
        """Take a settlement in; False when its delivery was settled in this group already."""
        item = asked.item
        delivery = item.delivery
        if delivery.receipt in self.answers:
            return False
        self.answers[delivery.receipt] = Settled.LOST  # until it was found
        self.ago[delivery.receipt] = asked.ago
        match item:
            case Ack():
                (self.acks if delivery.key is None else self.keyed_acks).append(item)
            case Release():
                self.releases.append(item)
            case Again(outgoing=outgoing):
                if outgoing.queue not in numbers:
                    self.answers[delivery.receipt] = (
                        Settled.UNKNOWN
                    )  # unchanged: it comes back after its lease
                elif (outgoing.queue, outgoing.id) == (delivery.queue, delivery.id) and (
                    outgoing.key == delivery.key or carried(outgoing.key) == delivery.key
                ):
                    self.swaps.append(item)
                else:  # to another queue, or as another message: it gives up its place
                    self.moves.append(item)
        return True

    def due(self, item: Again) -> Due:
        """The next attempt, and in how many seconds it may be claimed."""
        return Due(item.outgoing, item.outgoing.delay - self.ago[item.delivery.receipt])

    def contents(self) -> tuple[list[float], list[str | None], list[bytes]]:
        """Delays, content types and bodies of the swaps."""
        kinds = [item.outgoing.content_type for item in self.swaps]
        return (
            [self.due(item).seconds for item in self.swaps],
            [None if kind == DEFAULT_CONTENT_TYPE else kind for kind in kinds],
            [item.outgoing.body for item in self.swaps],
        )

    def found(self, rows: Sequence[Any]) -> set[Receipt]:
        """Note which claims were still the valid ones."""
        receipts = {Receipt(*row) for row in rows}
        self.answers.update(dict.fromkeys(receipts, Settled.DONE))
        return receipts


class Settling:
    """Settles.

    Every statement is a transaction of its own, so that what was done stays done when the connection breaks half-way.
    Only where a lane moves on, or a message moves to another queue, two things must happen in one transaction.

    Args:
        numbers: of queues.
        clock: in place of the server's; None for that.
    """

    def __init__(self, numbers: Numbers, clock: Callable[[], float] | None) -> None:
        self._numbers = numbers
        self._clock = clock
        self._publishing = Publishing(numbers, _UNLIMITED, clock)

    async def settle(self, connection: Connection, asked: Sequence[Asked]) -> list[Settled]:
        """Settle, one answer each."""
        items = [each.item for each in asked]
        queues = {item.delivery.queue for item in items}
        queues.update(item.outgoing.queue for item in items if isinstance(item, Again))
        numbers = await self._numbers.of(connection, queues)
        work = Work()
        counts = [work.add(each, numbers) for each in asked]
        now = self._clock() if self._clock is not None else None
        if work.acks:
            work.found(await connection.fetch(_REMOVE, *_receipts(work.acks)))
        if work.releases:
            delays = [item.delay - work.ago[item.delivery.receipt] for item in work.releases]
            work.found(await connection.fetch(_RELEASE, *_receipts(work.releases), delays, now))
        if work.swaps:
            work.found(await connection.fetch(_SWAP, *_receipts(work.swaps), *work.contents(), now))
        if work.keyed_acks or work.moves:
            await self._move(connection, work, numbers)
        return [
            work.answers[item.delivery.receipt] if counted else Settled.LOST
            for item, counted in zip(items, counts, strict=True)
        ]

    async def _move(self, connection: Connection, work: Work, numbers: Mapping[str, int]) -> None:
        leaving: list[Settlement] = [*work.keyed_acks, *work.moves]
        left = {
            (numbers[item.delivery.queue], item.delivery.key)
            for item in leaving
            if item.delivery.key is not None and item.delivery.queue in numbers
        }
        judged = judge([work.due(item) for item in work.moves], numbers, _UNLIMITED)
        if left or judged.keyed:
            await lanes.begin(connection, [*left, *judged.lanes])
        else:
            await connection.execute("BEGIN")
        found = work.found(await connection.fetch(_REMOVE, *_receipts(leaving)))
        if left:
            await lanes.advance(connection, left)
        moved = [work.due(item) for item in work.moves if item.delivery.receipt in found]
        if moved:
            await self._publishing.insert(connection, judge(moved, numbers, _UNLIMITED))
        await connection.execute("COMMIT")


def _receipts(items: Sequence[Settlement]) -> tuple[list[int], list[int]]:
    receipts = [item.delivery.receipt for item in items]
    return [receipt.row for receipt in receipts], [receipt.lease for receipt in receipts]
