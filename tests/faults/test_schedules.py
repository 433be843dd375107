"""Two schedulers, killed in turn, by a clock that is set back and forth: one firing a tick, and none is missing."""

from __future__ import annotations

import asyncio
import sqlite3
from itertools import cycle
from typing import Any

import pytest

from tests.deep import size
from tests.e2e.project import Project
from tests.e2e.waiting import until

pytestmark = pytest.mark.fault

TICKS = size(40, 500)
EACH = size(20, 25)
"""Ticks that are fired between two deaths."""
EVERY = 200_000


class State:
    """The state database of the project, looked at from outside."""

    def __init__(self, project: Project, url: str | None) -> None:
        self._file = project.database
        self._url = url
        self.extra = {} if url is None else {"WORKER_DATABASE__URL": url}

    def rows(self, statement: str) -> list[Any]:
        """What a statement gives; nothing before there are tables."""
        if self._url is not None:
            return asyncio.run(self._asked(self._url, statement))
        try:
            with sqlite3.connect(self._file) as database:
                return database.execute(statement).fetchall()
        except sqlite3.OperationalError:
            return []

    async def _asked(self, url: str, statement: str) -> list[Any]:
        import asyncpg

        connection = await asyncpg.connect(url)
        try:
            return list(await connection.fetch(statement))
        except asyncpg.UndefinedTableError:
            return []
        finally:
            await connection.close()

    def fired(self) -> list[int]:
        """Ticks that were fired."""
        return [row[0] for row in self.rows("SELECT tick FROM worker_firings ORDER BY tick")]

    def leader(self) -> int | None:
        """Process id of the scheduler that acts."""
        rows = self.rows("SELECT worker FROM worker_locks WHERE name = 'scheduler'")
        return int(rows[0][0].split("-")[-2]) if rows else None


@pytest.mark.timeout(size(300, 1500))
@pytest.mark.parametrize("database", size(["sqlite"], ["sqlite", "postgresql"]))
def test_each_tick_is_fired_once_whatever_dies(
    project: Project, database: str, request: pytest.FixtureRequest
) -> None:
    project.configure("tests.faults.schedules_app:app")
    state = State(project, request.getfixturevalue("postgres_url") if database == "postgresql" else None)
    clock = project.folder / "clock"
    clock.write_text("0")
    # one of them takes the messages, too
    running = [
        project.start(*arguments, extra=state.extra) for arguments in (("schedule",), ("run", "--port", "0"))
    ]
    offset, deaths = 0.0, 0
    for step in cycle((-3.0, 7.0, -5.0, 1.0)):
        before = len(state.fired())
        until(lambda before=before: len(state.fired()) >= before + EACH, f"{EACH} more ticks")  # type: ignore[misc]
        if len(state.fired()) >= TICKS and deaths:
            break
        (acting,) = [process for process in running if process.pid == state.leader()]
        acting.kill()
        deaths += 1
        offset += step
        clock.write_text(str(offset))
        running[running.index(acting)] = project.start(*acting.arguments, extra=state.extra)
    for process in running:
        process.stop()

    ticks = state.fired()
    assert ticks == list(range(ticks[0], ticks[-1] + 1, EVERY))
    assert state.rows("SELECT 1 FROM worker_firings WHERE error_type IS NOT NULL") == []
    ids = {row[0] for row in state.rows("SELECT message_id FROM worker_firings")}
    assert len(ids) == len(ticks)
    # what was fired was sent and handled, also what a dead process had claimed to send
    handled = project.folder / "handled"
    project.consume(extra=state.extra)
    until(lambda: {int(line) for line in handled.read_text().split()} == set(ticks), "all handled")
    print(f"{len(ticks)} ticks, {deaths} deaths")
