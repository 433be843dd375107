"""Job that hands messages out, and the one that holds them longer."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, cast

import msgspec

from transports.orphans import Marks, Orphans
from transports.sqlite.job import Job
from transports.sqlite.numbers import Numbers
from transports.sqlite.publishing import DEFAULT_CONTENT_TYPE
from transports.subscription import Claimed
from worker.messaging.transport import Delivery, Settled

_NEXT = """SELECT visible_at FROM transport_messages WHERE queue = ? AND visible_at > -1e300
    ORDER BY visible_at LIMIT 1"""
_DUE = """SELECT json_group_array(id) FROM (SELECT id FROM transport_messages
    WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, id LIMIT ?)"""
_TAKE = """UPDATE transport_messages SET visible_at = ?, lease = ?, deaths = deaths + 1
    WHERE id IN (SELECT value FROM json_each(?))"""
# All rows as one: with a step for each row, the interpreter's lock would go to the loop's thread at each step, and
# getting it back from a busy loop takes milliseconds.
_READ = """SELECT json_group_array(json_array(id, message_id, key, deaths, content_type, length(body))),
    CAST(group_concat(body, '') AS BLOB)
    FROM transport_messages WHERE id IN (SELECT value FROM json_each(?))"""
_READ_ONE = """SELECT id, message_id, key, deaths, content_type, length(body), body
    FROM transport_messages WHERE id = ?"""
_LEASED = """SELECT DISTINCT lease FROM (SELECT lease FROM transport_messages
    WHERE queue = ? AND visible_at > ? ORDER BY visible_at LIMIT 2000) WHERE lease IS NOT NULL"""
# As if their lease was over: each counts as a death.
_FREE = """UPDATE transport_messages SET visible_at = 0.0
    WHERE queue = ? AND visible_at > ? AND lease IN (SELECT value FROM json_each(?))"""
_Columns = tuple[int, str, str | None, int, str | None, int]
_read_numbers = msgspec.json.Decoder(list[int]).decode
_read_columns = msgspec.json.Decoder(list[_Columns]).decode
_read_pairs = msgspec.json.Decoder(list[tuple[int, int | None]]).decode
_DEFAULT_HEADERS: Mapping[str, str] = MappingProxyType({"content-type": DEFAULT_CONTENT_TYPE})


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What settles a delivery: its row, and the claim that holds it."""

    row: int
    lease: int


class Claim(Job):
    """Take up to ``limit`` due messages of a queue for ``lease`` seconds."""

    stage: ClassVar[int] = 3
    syncs: ClassVar[bool] = False  # a claim that a power cut undoes is as good as one that never was

    def __init__(
        self,
        future: asyncio.Future[Any],
        queue: str,
        limit: int,
        lease: float,
        marks: Marks,
        orphans: Orphans,
    ) -> None:
        super().__init__(future)
        self._queue = queue
        self._limit = limit
        self._lease = lease
        self._marks = marks
        self._orphans = orphans
        self._orphaned: list[int] = []

    def needs_lock(self, connection: sqlite3.Connection, numbers: Numbers, now: float) -> bool:
        """Look first: a claim that finds nothing must not keep the write lock from others."""
        self.result = Claimed([], None)
        number = numbers.number(connection, self._queue)
        if number is None:
            return False
        row = connection.execute(_NEXT, (number,)).fetchone()
        if row is None:
            return False
        self.result = Claimed([], row[0] - now)
        if row[0] <= now:
            return True
        if not self._orphaned and self._orphans.due(number):
            marks = connection.execute(_LEASED, (number, now)).fetchall()
            self._orphaned = self._orphans.among(mark for (mark,) in marks)
        return bool(self._orphaned)

    @classmethod
    def perform(
        cls, connection: sqlite3.Connection, numbers: Numbers, now: float, group: Sequence[Job]
    ) -> None:
        """Claim for one after the other."""
        for job in cast(Sequence[Claim], group):
            if job.needs_lock(connection, numbers, now):
                job.result = Claimed(job._take(connection, numbers, now), None)

    def _take(self, connection: sqlite3.Connection, numbers: Numbers, now: float) -> list[Delivery]:
        number = numbers.number(connection, self._queue)
        if self._orphaned:
            connection.execute(_FREE, (number, now, listed(self._orphaned)))
        (ids,) = connection.execute(_DUE, (number, now, self._limit)).fetchone()
        lease = self._marks.next()
        connection.execute(_TAKE, (now + self._lease, lease, ids))
        order = _read_numbers(ids)
        deliveries = {
            row: Delivery(
                queue=self._queue,
                id=message_id,
                body=body,
                headers={"content-type": kind} if kind else _DEFAULT_HEADERS,
                key=key,
                deaths=deaths - 1,
                redelivered=deaths > 1,
                receipt=Receipt(row, lease),
            )
            for row, message_id, key, deaths, kind, body in _read(connection, ids, order)
        }
        return [deliveries[row] for row in order]


def listed(rows: Sequence[int]) -> str:
    """Write row numbers as SQLite reads them."""
    return msgspec.json.encode(rows).decode()


def _read(connection: sqlite3.Connection, ids: str, order: Sequence[int]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    try:
        columns, bodies = connection.execute(_READ, (ids,)).fetchone()
    except sqlite3.DataError:  # the bodies together are larger than SQLite's longest value
        for row in order:
            *head, _, body = connection.execute(_READ_ONE, (row,)).fetchone()
            rows.append((*head, body))
        return rows
    start = 0
    for row, message_id, key, deaths, kind, size in _read_columns(columns):
        rows.append((row, message_id, key, deaths, kind, bodies[start : start + size] if size else b""))
        start += size
    return rows


class Extend(Job):
    """Hold deliveries for ``lease`` seconds from now; the result is one answer each."""

    stage: ClassVar[int] = 1
    syncs: ClassVar[bool] = False

    def __init__(self, future: asyncio.Future[Any], deliveries: Sequence[Delivery], lease: float) -> None:
        super().__init__(future)
        self._deliveries = deliveries
        self._lease = lease

    @classmethod
    def perform(
        cls, connection: sqlite3.Connection, numbers: Numbers, now: float, group: Sequence[Job]
    ) -> None:
        """Extend for one after the other: there is one such job in a third of a lease."""
        for job in cast(Sequence[Extend], group):
            receipts = [delivery.receipt for delivery in job._deliveries]
            valid = held(connection, receipts)
            rows = listed([receipt.row for receipt in valid])
            connection.execute(
                "UPDATE transport_messages SET visible_at = ? WHERE id IN (SELECT value FROM json_each(?))",
                (now + job._lease, rows),
            )
            job.result = [Settled.DONE if receipt in valid else Settled.LOST for receipt in receipts]


def held(connection: sqlite3.Connection, receipts: Collection[Receipt]) -> set[Receipt]:
    """Return those whose claim is still the valid one."""
    (found,) = connection.execute(
        "SELECT json_group_array(json_array(id, lease)) FROM transport_messages"
        " WHERE id IN (SELECT value FROM json_each(?))",
        (listed([receipt.row for receipt in receipts]),),
    ).fetchone()
    current = {Receipt(row, lease) for row, lease in _read_pairs(found) if lease is not None}
    return current.intersection(receipts)
