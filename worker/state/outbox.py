"""The outbox: messages that committed handlers sent, kept until a broker has confirmed them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from worker.messaging.parcel import OutboxRow, Parcel
from worker.messaging.transport import Outgoing
from worker.state import outbox_statements as sql
from worker.state.database import Database
from worker.state.transaction import Row, Transaction

PARKED = "*schedule"
"""Claimant of parked rows: they wait until their broker can keep what is left of their delay. No worker is named so; rows
of earlier releases have it, too."""


class Outbox:
    """Rows of the outbox, in the order in which handlers sent them.

    Several workers may relay at once: a row is claimed for a time. None is given a row while another
    holds an earlier one of the same handler's message or of the same ordering key.

    Every method raises DatabaseUnavailable when the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def leave(self, parcels: Sequence[Parcel]) -> None:
        """Keep messages that leave with no transaction of a handler's, for the first process that relays."""
        now = await self._database.now()
        async with self._database.begin_write() as transaction:
            await leave(transaction, parcels, now)

    async def claim(
        self, worker: str, limit: int, lease: float, transports: Sequence[str] | None = None
    ) -> list[OutboxRow]:
        """Take up to ``limit`` rows, oldest first, those that ``worker`` holds already among them.

        Args:
            worker: name of the claimant.
            limit: most rows.
            lease: seconds for which no other is given them.
            transports: only rows that leave by these; None for all.
        """
        now = await self._database.now(writes=False)  # asked often, and usually for nothing
        async with self._database.begin_read() as transaction:
            if await transaction.first(sql.ANY, now=now, worker=worker) is None:
                return []  # the usual case costs no write
        statement = sql.CLAIMABLE if transports is None else sql.CLAIMABLE_BY
        named = None if transports is None else list(transports)
        async with self._database.begin_write() as transaction:
            await self._database.take_turn(transaction, f"outbox {self._database.application}")
            found = await transaction.rows(
                statement, now=now, worker=worker, parked=PARKED, transports=named, limit=limit
            )
            if found:
                seqs = [row["seq"] for row in found]
                await transaction.run(sql.CLAIM, seqs=seqs, worker=worker, until=now + lease)
        return [_row(row, now) for row in found]

    async def park(self, transport: str, batch: Sequence[Outgoing], longest: float) -> None:
        """Keep messages until no more than ``longest`` seconds of their delay are left; then they are sent.

        One that waits already under the same id is replaced, by a new row: a worker that is sending the
        old one removes that, and not this.
        """
        now = await self._database.now()
        rows = [
            _values(outgoing.id, transport, outgoing, now)
            | {"claimed_by": PARKED, "claimed_until": now + outgoing.delay - longest}
            for outgoing in batch
        ]
        async with self._database.begin_write() as transaction:
            await transaction.run(sql.REPLACE, ids=[outgoing.id for outgoing in batch])
            await transaction.run_each(sql.ADD, rows)

    async def postpone(self, seqs: Sequence[int], longest: float) -> None:
        """Put claimed rows aside until no more than ``longest`` seconds of their delay are left."""
        async with self._database.begin_write() as transaction:
            await transaction.run(sql.POSTPONE, seqs=list(seqs), longest=longest, parked=PARKED)

    async def parked(self) -> Mapping[tuple[str, str], int]:
        """Count what waits for its time, by transport and queue."""
        now = await self._database.now(writes=False)
        async with self._database.begin_read() as transaction:
            found = await transaction.rows(sql.PARKED, now=now, parked=PARKED)
        return {(row["transport"], row["queue"]): row["count"] for row in found}

    async def pending(self, limit: int, older_than: float = 0.0) -> list[OutboxRow]:
        """Show up to ``limit`` rows that are at least ``older_than`` seconds old, without claiming them."""
        now = await self._database.now(writes=False)
        async with self._database.begin_read() as transaction:
            found = await transaction.rows(sql.PENDING, before=now - older_than, limit=limit)
        return [_row(row, now) for row in found]

    async def remove(self, seqs: Sequence[int]) -> None:
        """Forget rows that were sent."""
        if not seqs:
            return
        async with self._database.begin_write() as transaction:
            await transaction.run(sql.REMOVE, seqs=list(seqs))

    async def listen(self, left: Callable[[], None]) -> None:
        """Call ``left`` when an application's own transaction has left rows, where the database tells; see ``Database.listen``."""
        await self._database.listen(CHANNEL, left)

    async def release(self, worker: str) -> None:
        """Let others take what ``worker`` holds: it stops."""
        async with self._database.begin_write() as transaction:
            await transaction.run(sql.RELEASE, worker=worker)

    async def holds(self, message_id: str) -> bool:
        """Tell whether a message waits here, for its time or for its broker."""
        async with self._database.begin_read() as transaction:
            return await transaction.first(sql.HELD, message_id=message_id) is not None

    async def count(self, transports: Sequence[str] | None = None) -> int:
        """Count what is to be sent now: all rows but those that wait for their time; only of ``transports`` where they are given."""
        now = await self._database.now(writes=False)
        statement = sql.COUNT if transports is None else sql.COUNT_BY
        named = None if transports is None else list(transports)
        async with self._database.begin_read() as transaction:
            return int(await transaction.value(statement, now=now, parked=PARKED, transports=named))

    async def stranded(self, transports: Sequence[str]) -> Mapping[str, int]:
        """Count rows that leave by none of these transports, by their own: where no process has that, they wait for ever."""
        async with self._database.begin_read() as transaction:
            found = await transaction.rows(sql.STRANDED, transports=list(transports))
        return {row["transport"]: row["count"] for row in found}


CHANNEL = "worker_outbox"
"""Where PostgreSQL tells of rows that are not claimed."""


def unclaimed(parcels: Sequence[Parcel], now: float) -> list[dict[str, Any]]:
    """Make the rows of messages that are no handler's, for ``ADD_ONCE``: any relay may send them at once.

    Args:
        parcels: each a message that waits for no other.
        now: on the database's ``time``; delays count from here.
    """
    free = {"claimed_by": "", "claimed_until": 0.0}
    return [_values(one.outgoing.id, one.transport, one.outgoing, now) | free for one in parcels]


async def keep(
    transaction: Transaction, origin: str, parcels: Sequence[Parcel], now: float, worker: str, lease: float
) -> None:
    """Keep a handler's messages in the transaction of its work, claimed for the worker that commits it.

    Args:
        transaction: of the handler's work.
        origin: id of the message whose handler sent them.
        parcels: what it sent, in order; one that is kept already, by id, is not kept twice.
        now: seconds since the epoch; delays count from here.
        worker: who will send them.
        lease: seconds after which another worker may.
    """
    claimed = {"claimed_by": worker, "claimed_until": now + lease}
    rows = [_values(origin, parcel.transport, parcel.outgoing, now) | claimed for parcel in parcels]
    await transaction.run_each(sql.ADD_ONCE, rows)


async def leave(transaction: Transaction, parcels: Sequence[Parcel], now: float) -> None:
    """Keep messages of one request in the transaction of its work, unclaimed, and tell those who relay.

    Args:
        transaction: of the request's work.
        parcels: what it sent, in order; at least one.
        now: seconds since the epoch; delays count from here.
    """
    await keep(transaction, parcels[0].outgoing.id, parcels, now, "", 0.0)
    await transaction.rows(sql.TELL, channel=CHANNEL)


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


def _row(row: Row, now: float) -> OutboxRow:
    outgoing = Outgoing(
        queue=row["queue"],
        id=row["message_id"],
        type=row["type"],
        body=row["body"],
        key=row["key"],
        # what has no delay leaves at once, also where another process's clock was ahead
        delay=max(0.0, row["created_at"] + row["delay"] - now) if row["delay"] else 0.0,
        priority=row["priority"],
        content_type=row["content_type"],
    )
    return OutboxRow(row["seq"], row["transport"], outgoing)
