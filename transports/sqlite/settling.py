"""Job that settles deliveries: acks, give-backs and next attempts of one turn in a few statements."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, ClassVar, cast

from transports.sqlite.claiming import Receipt, held, listed
from transports.sqlite.job import Job
from transports.sqlite.numbers import Numbers
from transports.sqlite.publishing import DEFAULT_CONTENT_TYPE, Publish
from worker.messaging.transport import Ack, Again, Outgoing, Release, Settled, Settlement

_REMOVE = "DELETE FROM transport_messages WHERE id IN (SELECT value FROM json_each(?))"
_REMOVE_HELD = """DELETE FROM transport_messages WHERE lease = ?
    AND id IN (SELECT value FROM json_each(?))"""
_FEW = 16
"""Claims whose acks are removed by a statement each."""
_RELEASE = """UPDATE transport_messages SET visible_at = ?, lease = NULL, deaths = deaths - 1
    WHERE id IN (SELECT value FROM json_each(?))"""
_SWAP = """UPDATE transport_messages SET body = ?, content_type = ?, visible_at = ?, lease = NULL, deaths = 0
    WHERE id = ?"""
_ADVANCE = """UPDATE transport_messages SET visible_at = due WHERE visible_at IS NULL AND id = (
    SELECT id FROM transport_messages WHERE queue = ? AND key = ? ORDER BY id LIMIT 1)"""


class Work:
    """What a group of settlements comes down to."""

    def __init__(self) -> None:
        self.removed: list[int] = []
        self.released: defaultdict[float, list[int]] = defaultdict(list)
        self.swapped: list[tuple[Any, ...]] = []
        self.moved: list[Outgoing] = []
        self.lanes: set[tuple[str, str]] = set()


class Settle(Job):
    """Settle deliveries; the result is one answer each. ``asked_at`` is when delays begin."""

    stage: ClassVar[int] = 1

    def __init__(self, future: asyncio.Future[Any], items: Sequence[Settlement], asked_at: float) -> None:
        super().__init__(future)
        self._items = items
        self._asked_at = asked_at

    @classmethod
    def perform(
        cls, connection: sqlite3.Connection, numbers: Numbers, now: float, group: Sequence[Job]
    ) -> None:
        """Settle for all of them together."""
        jobs = cast(Sequence[Settle], group)
        if _all_acked(connection, jobs):
            return
        valid = held(connection, [item.delivery.receipt for each in jobs for item in each._items])
        work = Work()
        for job in jobs:
            job._collect(connection, numbers, valid, work)
        if work.removed:
            connection.execute(_REMOVE, (listed(work.removed),))
        for visible_at, rows in work.released.items():
            connection.execute(_RELEASE, (visible_at, listed(rows)))
        if work.swapped:
            connection.executemany(_SWAP, work.swapped)
        for queue, key in work.lanes:
            connection.execute(_ADVANCE, (numbers.number(connection, queue), key))
        if work.moved:
            moving = Publish(jobs[0].future, work.moved, max_bytes=2**31 - 1, asked_at=now)
            Publish.perform(connection, numbers, now, [moving])

    def _collect(
        self, connection: sqlite3.Connection, numbers: Numbers, valid: set[Receipt], work: Work
    ) -> None:
        woken: set[str] = set()
        results = []
        for item in self._items:
            delivery = item.delivery
            if delivery.receipt not in valid:
                results.append(Settled.LOST)
                continue
            match item:
                case Ack():
                    work.removed.append(delivery.receipt.row)
                    if delivery.key is not None:
                        work.lanes.add((delivery.queue, delivery.key))
                        woken.add(delivery.queue)
                case Release(delay=delay):
                    # without a delay it goes to the front again, where it was taken from
                    visible_at = self._asked_at + delay if delay else 0.0
                    work.released[visible_at].append(delivery.receipt.row)
                    woken.add(delivery.queue)
                case Again(outgoing=outgoing):
                    if numbers.number(connection, outgoing.queue) is None:
                        results.append(Settled.UNKNOWN)  # unchanged: it comes back when its lease is over
                        continue
                    _swap(item, self._asked_at, work)
                    woken.update((delivery.queue, outgoing.queue))
            valid.discard(delivery.receipt)  # what is settled once is settled
            results.append(Settled.DONE)
        self.result = results
        self.woken = woken


def _all_acked(connection: sqlite3.Connection, jobs: Sequence[Settle]) -> bool:
    """Do the common case without looking first: acks without keys, of few claims, none lost; False for any other."""
    claims: defaultdict[int, list[int]] = defaultdict(list)
    for job in jobs:
        for item in job._items:
            if type(item) is not Ack or item.delivery.key is not None:
                return False
            receipt: Receipt = item.delivery.receipt
            claims[receipt.lease].append(receipt.row)
    if len(claims) > _FEW:
        return False
    connection.execute("SAVEPOINT acks")
    for lease, rows in claims.items():
        if connection.execute(_REMOVE_HELD, (lease, listed(rows))).rowcount != len(rows):
            connection.execute("ROLLBACK TO acks")
            connection.execute("RELEASE acks")
            return False
    connection.execute("RELEASE acks")
    for job in jobs:
        job.result = [Settled.DONE] * len(job._items)
    return True


def _swap(item: Again, asked_at: float, work: Work) -> None:
    delivery, outgoing = item.delivery, item.outgoing
    if (outgoing.queue, outgoing.id, outgoing.key) == (delivery.queue, delivery.id, delivery.key):
        kind = None if outgoing.content_type == DEFAULT_CONTENT_TYPE else outgoing.content_type
        work.swapped.append((outgoing.body, kind, asked_at + outgoing.delay, delivery.receipt.row))
        return
    # to another queue, or as another message: it gives up its place
    work.removed.append(delivery.receipt.row)
    work.moved.append(outgoing)
    if delivery.key is not None:
        work.lanes.add((delivery.queue, delivery.key))
