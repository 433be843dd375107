"""The outbox: messages that committed handlers sent, kept until a broker has confirmed them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.sql import ColumnElement

from worker.messaging.transport import Outgoing
from worker.messaging.unit_of_work import Parcel
from worker.state.database import Database
from worker.state.tables import outbox

SCHEDULE = "*schedule"
"""Claimant of rows that wait until their broker can keep what is left of their delay; no worker is named so."""


class OutboxRow(msgspec.Struct, frozen=True):
    """A message to be sent.

    Attributes:
        seq: its place in the order of commits.
        transport: name of the transport it leaves by.
        outgoing: what is published; its delay is what is left of it, counted from the commit.
    """

    seq: int
    transport: str
    outgoing: Outgoing


class Outbox:
    """Rows of the outbox, in the order in which handlers sent them.

    Several workers may relay at once: a row is claimed for a time. Nobody is given a row while somebody else
    holds an earlier one of the same handler's message or of the same ordering key.

    Every method raises DatabaseUnavailable when the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(
        self, worker: str, limit: int, lease: float, transports: Sequence[str] | None = None
    ) -> list[OutboxRow]:
        """Take up to ``limit`` rows, oldest first, those that ``worker`` holds already among them.

        Args:
            worker: name of the claimant.
            limit: most rows.
            lease: seconds for which nobody else is given them.
            transports: only rows that leave by these; None for all.
        """
        now = self._database.clock()
        free = or_(outbox.c.claimed_until <= now, outbox.c.claimed_by == worker)
        wanted = [free, *_behind_nobody(worker, now)]
        if transports is not None:
            wanted.append(outbox.c.transport.in_(transports))
        if not await self._any(free):  # the usual case costs no write
            return []
        async with self._database.begin_write() as connection:
            await self._database.lock(connection, "outbox")
            found = (await connection.execute(_ordered(limit).where(*wanted))).mappings().all()
            if found:
                claimed = outbox.c.seq.in_([row["seq"] for row in found])
                await connection.execute(
                    update(outbox).where(claimed).values(claimed_by=worker, claimed_until=now + lease)
                )
        return [_row(row, now) for row in found]

    async def park(self, transport: str, batch: Sequence[Outgoing], longest: float) -> None:
        """Keep messages until no more than ``longest`` seconds of their delay are left; then they are sent.

        One that waits already under the same id is replaced, by a new row: whoever is sending the old one
        removes that, and not this.
        """
        now = self._database.clock()
        rows = [
            _values(outgoing.id, transport, outgoing, now)
            | {"claimed_by": SCHEDULE, "claimed_until": now + outgoing.delay - longest}
            for outgoing in batch
        ]
        async with self._database.begin_write() as connection:
            await connection.execute(delete(outbox).where(outbox.c.message_id.in_([one.id for one in batch])))
            await connection.execute(self._database.insert(outbox), rows)

    async def postpone(self, seqs: Sequence[int], longest: float) -> None:
        """Put claimed rows aside until no more than ``longest`` seconds of their delay are left."""
        due = outbox.c.created_at + outbox.c.delay - longest
        async with self._database.begin_write() as connection:
            await connection.execute(
                update(outbox)
                .where(outbox.c.seq.in_(seqs))
                .values(claimed_by=SCHEDULE, claimed_until=due, origin=outbox.c.message_id)
            )

    async def parked(self) -> Mapping[tuple[str, str], int]:
        """Count what waits for its time, by transport and queue."""
        where = outbox.c.transport, outbox.c.queue
        statement = select(*where, func.count()).where(_waits(self._database.clock())).group_by(*where)
        async with self._database.begin_read() as connection:
            return {(name, queue): count for name, queue, count in await connection.execute(statement)}

    async def pending(self, limit: int, older_than: float = 0.0) -> list[OutboxRow]:
        """Show up to ``limit`` rows that are at least ``older_than`` seconds old, without claiming them."""
        now = self._database.clock()
        async with self._database.begin_read() as connection:
            found = await connection.execute(_ordered(limit).where(outbox.c.created_at <= now - older_than))
            return [_row(row, now) for row in found.mappings()]

    async def remove(self, seqs: Sequence[int]) -> None:
        """Forget rows that were sent."""
        if not seqs:
            return
        async with self._database.begin_write() as connection:
            await connection.execute(delete(outbox).where(outbox.c.seq.in_(seqs)))

    async def release(self, worker: str) -> None:
        """Let others take what ``worker`` holds: it stops."""
        async with self._database.begin_write() as connection:
            await connection.execute(
                update(outbox).where(outbox.c.claimed_by == worker).values(claimed_until=0.0)
            )

    async def count(self) -> int:
        """Count what is to be sent now: all rows but those that wait for their time."""
        statement = select(func.count()).select_from(outbox).where(~_waits(self._database.clock()))
        async with self._database.begin_read() as connection:
            return int((await connection.execute(statement)).scalar_one())

    async def _any(self, condition: ColumnElement[bool]) -> bool:
        async with self._database.begin_read() as connection:
            return (
                await connection.execute(select(outbox.c.seq).where(condition).limit(1))
            ).first() is not None


def outbox_values(
    origin: str, parcels: Sequence[Parcel], now: float, worker: str, lease: float
) -> list[dict[str, Any]]:
    """Make the rows of a handler's messages, claimed for the worker that commits them.

    Args:
        origin: id of the message whose handler sent them.
        parcels: what it sent, in order.
        now: seconds since the epoch; delays count from here.
        worker: who will send them.
        lease: seconds after which somebody else may.
    """
    return [
        _values(origin, parcel.transport, parcel.outgoing, now)
        | {"claimed_by": worker, "claimed_until": now + lease}
        for parcel in parcels
    ]


def _values(origin: str, transport: str, outgoing: Outgoing, now: float) -> dict[str, Any]:
    return {
        "message_id": outgoing.id,
        "origin": origin,
        "transport": transport,
        "queue": outgoing.queue,
        "type": outgoing.type,
        "body": outgoing.body,
        "key": outgoing.key,
        "delay": outgoing.delay,
        "priority": outgoing.priority,
        "content_type": outgoing.content_type,
        "created_at": now,
    }


def _waits(now: float) -> ColumnElement[bool]:
    """Whether a row waits for its time; it is in nobody's way."""
    return and_(outbox.c.claimed_by == SCHEDULE, outbox.c.claimed_until > now)


def _behind_nobody(worker: str, now: float) -> list[ColumnElement[bool]]:
    earlier = outbox.alias("earlier")
    held = and_(
        earlier.c.seq < outbox.c.seq,
        earlier.c.claimed_until > now,
        earlier.c.claimed_by.not_in((worker, SCHEDULE)),
    )
    same_origin = select(earlier.c.seq).where(earlier.c.origin == outbox.c.origin, held)
    # a row without a key equals none: NULL = NULL is not true in SQL
    same_lane = select(earlier.c.seq).where(
        earlier.c.key == outbox.c.key,
        earlier.c.queue == outbox.c.queue,
        earlier.c.transport == outbox.c.transport,
        held,
    )
    return [~same_origin.exists(), ~same_lane.exists()]


def _ordered(limit: int) -> Any:
    return select(outbox).order_by(outbox.c.seq).limit(limit)


def _row(row: Any, now: float) -> OutboxRow:
    outgoing = Outgoing(
        queue=row["queue"],
        id=row["message_id"],
        type=row["type"],
        body=bytes(row["body"]),
        key=row["key"],
        delay=max(0.0, row["created_at"] + row["delay"] - now),
        priority=row["priority"],
        content_type=row["content_type"],
    )
    return OutboxRow(row["seq"], row["transport"], outgoing)
