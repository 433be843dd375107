"""Hands messages out, and holds them longer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from transports.orphans import Marks, Orphans
from transports.postgres.connection import Connection
from transports.postgres.numbers import Numbers
from transports.postgres.publishing import DEFAULT_CONTENT_TYPE
from transports.postgres.schema import NOW
from transports.subscription import Claimed
from worker.messaging.transport import Delivery, Settled

# MATERIALIZED, so that the rows are chosen once: a plan that chose them again would take more than the limit.
_CLAIM = f"""WITH chosen AS MATERIALIZED (
        SELECT id, visible_at FROM transport_messages
        WHERE queue = $1 AND visible_at <= {NOW.format("$5")}
        ORDER BY queue, visible_at, id LIMIT $2 FOR UPDATE SKIP LOCKED)
    UPDATE transport_messages AS m SET visible_at = {NOW.format("$5")} + $3, lease = $4, deaths = m.deaths + 1
    FROM chosen WHERE m.id = chosen.id
    RETURNING chosen.visible_at, m.id, m.message_id, m.key, m.deaths, m.content_type, m.body"""
_NEXT = f"""SELECT visible_at - {NOW.format("$2")} FROM transport_messages
    WHERE queue = $1 AND visible_at IS NOT NULL ORDER BY queue, visible_at LIMIT 1"""
_UNDO = f"""UPDATE transport_messages SET visible_at = {NOW.format("$3")}, lease = NULL, deaths = deaths - 1
    WHERE queue = $1 AND visible_at > {NOW.format("$3")} AND lease = ANY($2::bigint[])"""
_EXTEND = f"""UPDATE transport_messages AS m SET visible_at = {NOW.format("$4")} + $3
    FROM unnest($1::bigint[], $2::bigint[]) AS held (id, lease)
    WHERE m.id = held.id AND m.lease = held.lease RETURNING m.id, m.lease"""
_LEASED = f"""SELECT DISTINCT lease FROM (SELECT lease FROM transport_messages
    WHERE queue = $1 AND visible_at > {NOW.format("$2")} ORDER BY queue, visible_at LIMIT 2000) AS held
    WHERE lease IS NOT NULL"""
# As if their lease was over: each counts as a death.
_FREE = f"""UPDATE transport_messages SET visible_at = {NOW.format("$3")}
    WHERE queue = $1 AND visible_at > {NOW.format("$3")} AND lease = ANY($2::bigint[])"""
_DEFAULT_HEADERS: Mapping[str, str] = MappingProxyType({"content-type": DEFAULT_CONTENT_TYPE})


class Receipt(NamedTuple):
    """What settles a delivery: its row, and the claim that holds it."""

    row: int
    lease: int


class Claiming:
    """Claims and extends.

    Args:
        numbers: of queues.
        lease: seconds that a claim holds.
        clock: in place of the server's; None for that.

    Attributes:
        marks: of this process's claims.
    """

    def __init__(self, numbers: Numbers, lease: float, clock: Callable[[], float] | None) -> None:
        self._numbers = numbers
        self._lease = lease
        self._clock = clock
        self.marks = Marks()
        self._orphans = Orphans(self.marks.place)

    async def claim(self, connection: Connection, queue: str, limit: int, lease: int) -> Claimed:
        """Take up to ``limit`` due messages under the mark ``lease``."""
        number = await self._numbers.number(connection, queue)
        if number is None:
            return Claimed([], None)
        now = self._now()
        rows = await connection.fetch(_CLAIM, number, limit, self._lease, lease, now)
        if not rows and self._orphans.due(number) and await self._free(connection, number, now):
            rows = await connection.fetch(_CLAIM, number, limit, self._lease, lease, now)
        if not rows:
            return Claimed([], await connection.fetchval(_NEXT, number, now))
        rows.sort(key=lambda row: (row[0], row[1]))
        return Claimed([_delivery(queue, lease, *row) for row in rows], None)

    async def _free(self, connection: Connection, number: int, now: float | None) -> bool:
        """Free the claims of processes that are gone; return whether there were any."""
        marks = [row[0] for row in await connection.fetch(_LEASED, number, now)]
        orphaned = self._orphans.among(marks)
        if orphaned:
            await connection.execute(_FREE, number, orphaned, now)
        return bool(orphaned)

    async def undo(self, connection: Connection, queue: str, leases: Sequence[int]) -> None:
        """Give back what was claimed under these marks; for claims whose answer never came."""
        number = await self._numbers.number(connection, queue)
        if number is not None:
            await connection.execute(_UNDO, number, list(leases), self._now())

    async def extend(self, connection: Connection, deliveries: Sequence[Delivery]) -> list[Settled]:
        """Hold deliveries for another lease; one answer each."""
        receipts: list[Receipt] = [delivery.receipt for delivery in deliveries]
        rows, leases = [each.row for each in receipts], [each.lease for each in receipts]
        held = set(map(tuple, await connection.fetch(_EXTEND, rows, leases, self._lease, self._now())))
        return [Settled.DONE if receipt in held else Settled.LOST for receipt in receipts]

    def _now(self) -> float | None:
        return self._clock() if self._clock is not None else None


def _delivery(
    queue: str,
    lease: int,
    _visible_at: float,
    row: int,
    message_id: str,
    key: str | None,
    deaths: int,
    content_type: str | None,
    body: bytes,
) -> Delivery:
    return Delivery(
        queue=queue,
        id=message_id,
        body=body,
        headers={"content-type": content_type} if content_type else _DEFAULT_HEADERS,
        key=key,
        deaths=deaths - 1,
        redelivered=deaths > 1,
        receipt=Receipt(row, lease),
    )
