"""The status writer: takes steps at once and writes them in batches, beside the hot path."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
import structlog

from worker.errors import DatabaseUnavailable
from worker.messaging.outage_log import OutageLog
from worker.messaging.status import StatusChange
from worker.state.database import Database
from worker.state.statement import Statement
from worker.state.status_row import UPSERT, UPSERT_DONE, StatusRow, is_usual, join, row_of
from worker.texts import storable

BATCH = 1000
"""Rows in one transaction; that many do not wait for the interval."""

log = structlog.stdlib.get_logger("worker.status")


class StatusWriter:
    """Keeps the newest row of each command that has changed, until it is written.

    While the database does not answer, up to ``capacity`` commands are kept; then the oldest are dropped,
    which is logged once an outage. Messages themselves are never affected.

    Args:
        database: connected.
        worker: name of this process.
        interval: seconds between writes.
        capacity: most commands that wait.
    """

    def __init__(
        self, database: Database, worker: str = "", *, interval: float = 0.1, capacity: int = 100_000
    ) -> None:
        self._database = database
        self._worker = worker
        self._interval = interval
        self._capacity = capacity
        self._waiting: dict[str, StatusRow] = {}
        self._under_way: dict[str, StatusRow] = {}
        self._some = asyncio.Event()
        self._many = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._dropped = 0

    def record(self, change: StatusChange) -> None:
        """Note a step; returns at once and never raises."""
        self._keep(row_of(change, self._worker))
        self._some.set()
        if len(self._waiting) >= BATCH:
            self._many.set()

    def waiting(self, ids: Iterable[str]) -> Mapping[str, StatusRow]:
        """Return rows of these commands that are not written yet."""
        found = {}
        for command_id in ids:
            written, new = self._under_way.get(command_id), self._waiting.get(command_id)
            row = join(written, new) if written and new else new or written
            if row is not None:
                found[command_id] = row
        return found

    async def run(self) -> None:
        """Write until cancelled; call ``flush`` afterwards. Outages are waited out."""
        outage = OutageLog(log, "status of commands waits", "status of commands is written again")
        while True:
            await self._some.wait()
            try:
                async with asyncio.timeout(self._interval):
                    await self._many.wait()
            except TimeoutError:
                pass
            try:
                await self.flush()
            except DatabaseUnavailable as error:
                outage.met(error, waiting=len(self._waiting))
                await asyncio.sleep(1.0)
            except Exception:  # whatever it was, what others did must still be written
                log.exception("status of commands waits", waiting=len(self._waiting))
                await asyncio.sleep(1.0)
            else:
                outage.over()

    async def flush(self) -> None:
        """Write everything that was noted so far.

        Raises:
            DatabaseUnavailable: it does not answer; what was not written is kept.
        """
        async with self._one_at_a_time:
            self._some.clear()
            self._many.clear()
            portions = -(-len(self._waiting) // BATCH)
            for _ in range(portions):
                await self._write()
            if self._dropped:
                log.warning(
                    "status of commands lost while the database did not answer", dropped=self._dropped
                )
                self._dropped = 0

    async def _write(self) -> None:
        ids = list(islice(self._waiting, BATCH))
        self._under_way = {command_id: self._waiting.pop(command_id) for command_id in ids}
        own = (self._database.application,)
        portions: dict[Statement, list[tuple[Any, ...]]] = {UPSERT_DONE: [], UPSERT: []}
        # every process writes in the order of ids, so that two never wait for each other's rows
        for command_id in sorted(ids):
            row = self._under_way[command_id]
            portions[UPSERT_DONE if is_usual(row) else UPSERT].append(own + msgspec.structs.astuple(row))
        try:
            for statement, rows in portions.items():
                if rows:
                    await self._write_rows(statement, rows)
        except BaseException:
            newer, self._waiting = self._waiting, self._under_way
            self._under_way = {}
            for row in newer.values():
                self._keep(row)
            self._some.set()
            raise
        self._under_way = {}

    async def _write_rows(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write rows in a transaction; where one of them cannot be written, each in a transaction of its own."""
        try:
            await self._upsert(statement, rows)
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("the status of some commands cannot be written; they are written one by one")
            await self._upsert_each(statement, rows)

    async def _upsert(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> None:
        async with self._database.begin_write() as transaction:
            await transaction.run_tuples(statement, rows)

    async def _upsert_each(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write rows alone, texts made storable; one that cannot be written even so is dropped: the others go on."""
        for row in rows:
            plain = tuple(storable(value) if isinstance(value, str) else value for value in row)
            try:
                await self._upsert(statement, [plain])
            except DatabaseUnavailable:
                raise
            except Exception:
                log.exception("status of a command not kept", id=plain[1])

    def _keep(self, row: StatusRow) -> None:
        known = self._waiting.get(row.id)
        self._waiting[row.id] = row if known is None else join(known, row)
        if len(self._waiting) > self._capacity:
            del self._waiting[next(iter(self._waiting))]
            if not self._dropped:
                log.error("too many commands changed while the database did not answer; dropping the oldest")
            self._dropped += 1
