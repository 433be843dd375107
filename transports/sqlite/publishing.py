"""Jobs that bring messages in: setting queues up, and publishing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, cast

from transports.sqlite.job import Job
from transports.sqlite.numbers import Numbers
from worker.messaging.refusal import refusal
from worker.messaging.transport import ACCEPTED, Outcome, OutcomeKind, Outgoing

DEFAULT_CONTENT_TYPE = Outgoing.__struct_defaults__[-1]
_ROWS = 100
"""Rows in one statement."""

# A message that waits under this id is the same message: it stays as it is. One that a consumer holds is superseded:
# it waits again with what was published last, and that consumer's settlement finds its lease gone.
_ON_CONFLICT = """ ON CONFLICT (queue, message_id) DO UPDATE SET body = excluded.body,
    content_type = excluded.content_type, visible_at = {visible_at}, lease = NULL, deaths = 0
    WHERE lease IS NOT NULL"""
_INSERT_KEYED = """INSERT INTO transport_messages (queue, message_id, visible_at, content_type, body, key, due)
    VALUES (?1, ?2, CASE WHEN EXISTS (SELECT 1 FROM transport_messages WHERE queue = ?1 AND key = ?6)
        THEN NULL ELSE ?3 END, ?4, ?5, ?6, ?3)""" + _ON_CONFLICT.format(visible_at="excluded.due")


@cache
def _insert(rows: int) -> str:
    # One step of the statement for many rows: every step hands the interpreter's lock to the loop's thread,
    # and getting it back from a busy loop takes milliseconds.
    return (
        "INSERT INTO transport_messages (queue, message_id, visible_at, content_type, body) VALUES "
        + ", ".join(["(?, ?, ?, ?, ?)"] * rows)
        + _ON_CONFLICT.format(visible_at="excluded.visible_at")
    )


class Publish(Job):
    """Add messages; the result is one outcome for each. ``asked_at`` is when their delays begin."""

    stage: ClassVar[int] = 2

    def __init__(
        self, future: asyncio.Future[Any], batch: Sequence[Outgoing], max_bytes: int, asked_at: float
    ) -> None:
        super().__init__(future)
        self.batch = batch
        self._max_bytes = max_bytes
        self._asked_at = asked_at  # a delay begins when it is asked for, however long the lock takes

    @classmethod
    def perform(
        cls, connection: sqlite3.Connection, numbers: Numbers, now: float, group: Sequence[Job]
    ) -> None:
        """Insert the messages of all publishes together."""
        plain: list[Any] = []
        keyed: list[tuple[Any, ...]] = []
        for job in cast(Sequence[Publish], group):
            job._prepare(connection, numbers, plain, keyed)
        step = 5 * _ROWS
        for start in range(0, len(plain), step):
            chunk = plain[start : start + step]
            connection.execute(_insert(len(chunk) // 5), chunk)
        if keyed:
            connection.executemany(_INSERT_KEYED, keyed)

    def _prepare(
        self,
        connection: sqlite3.Connection,
        numbers: Numbers,
        plain: list[Any],
        keyed: list[tuple[Any, ...]],
    ) -> None:
        outcomes: list[Outcome] = []
        woken: set[str] = set()
        for message in self.batch:
            number = numbers.number(connection, message.queue)
            if number is None:
                text = f"queue {message.queue!r} was never set up"
                outcomes.append(Outcome(OutcomeKind.UNROUTABLE, text))
                continue
            reason = refusal(message, self._max_bytes)
            if reason is not None:
                outcomes.append(Outcome(OutcomeKind.REFUSED, reason))
                continue
            kind = None if message.content_type == DEFAULT_CONTENT_TYPE else message.content_type
            row = (number, message.id, self._asked_at + message.delay, kind, message.body)
            if message.key is None:
                plain.extend(row)
            else:
                keyed.append((*row, message.key))
            woken.add(message.queue)
            outcomes.append(ACCEPTED)
        self.result = outcomes
        self.woken = woken


class SetUp(Job):
    """Create queues; no result."""

    stage: ClassVar[int] = 0

    def __init__(self, future: asyncio.Future[Any], queues: Sequence[str]) -> None:
        super().__init__(future)
        self._queues = queues

    @classmethod
    def perform(
        cls, connection: sqlite3.Connection, numbers: Numbers, now: float, group: Sequence[Job]
    ) -> None:
        """Create what is missing."""
        for job in cast(Sequence[SetUp], group):
            numbers.add(connection, job._queues)
            job.woken = job._queues


class Find(Job):
    """Tell which queues are missing."""

    stage: ClassVar[int] = 0
    syncs: ClassVar[bool] = False

    def __init__(self, future: asyncio.Future[Any], queues: Sequence[str]) -> None:
        super().__init__(future)
        self._queues = queues

    def needs_lock(self, connection: sqlite3.Connection, numbers: Numbers, now: float) -> bool:
        """Only reads."""
        self.result = [name for name in self._queues if numbers.number(connection, name) is None]
        return False

    @classmethod
    def perform(
        cls, connection: sqlite3.Connection, numbers: Numbers, now: float, group: Sequence[Job]
    ) -> None:
        """Read inside the transaction of the other jobs, which have something to write."""
        for job in group:
            job.needs_lock(connection, numbers, now)


class Prove(Job):
    """Write what is there already: that shows a full disk, too, which taking the write lock alone would not."""

    stage: ClassVar[int] = 0
    syncs: ClassVar[bool] = False

    @classmethod
    def perform(
        cls, connection: sqlite3.Connection, numbers: Numbers, now: float, group: Sequence[Job]
    ) -> None:
        """Write the file's user version, which is not used for anything, once for all of them."""
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute(f"PRAGMA user_version = {version}")
