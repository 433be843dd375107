"""Two schedulers, killed in turn, by a clock that is set back and forth: one firing a tick, and none is missing."""

from __future__ import annotations

import sqlite3
from itertools import cycle

import pytest

from tests.deep import size
from tests.e2e.project import Project
from tests.e2e.waiting import until

pytestmark = pytest.mark.fault

TICKS = size(60, 500)
EACH = size(30, 25)
"""Ticks that are fired between two deaths."""
EVERY = 200_000


def fired(project: Project) -> list[int]:
    """Ticks that were fired, of those that are remembered."""
    try:
        with sqlite3.connect(project.database) as database:
            return [row[0] for row in database.execute("SELECT tick FROM worker_firings ORDER BY tick")]
    except sqlite3.OperationalError:  # the tables are not there yet
        return []


def leader(project: Project) -> int | None:
    """Process id of the scheduler that acts."""
    with sqlite3.connect(project.database) as database:
        rows = database.execute("SELECT worker FROM worker_locks WHERE name = 'scheduler'").fetchall()
    return int(rows[0][0].split("-")[-2]) if rows else None


def test_each_tick_is_fired_once_whatever_dies(project: Project) -> None:
    project.configure("tests.faults.schedules_app:app")
    clock = project.folder / "clock"
    clock.write_text("0")
    running = [project.start("schedule") for _ in range(2)]
    offset = 0.0
    for step in cycle((-3.0, 7.0, -5.0, 1.0)):
        before = len(fired(project))
        until(lambda before=before: len(fired(project)) >= before + EACH, f"{EACH} more ticks")  # type: ignore[misc]
        if len(fired(project)) >= TICKS:
            break
        (acting,) = [process for process in running if process.pid == leader(project)]
        acting.kill()
        offset += step
        clock.write_text(str(offset))
        running[running.index(acting)] = project.start("schedule")
    for process in running:
        process.stop()

    ticks = fired(project)
    assert ticks == list(range(ticks[0], ticks[-1] + 1, EVERY))
    burst = project.start("consume", "--burst")
    assert burst.wait() == 0
    # what was fired was sent, under one id a tick, and handled
    with sqlite3.connect(project.database) as database:
        ids = [row[0] for row in database.execute("SELECT message_id FROM worker_firings ORDER BY tick")]
        done = database.execute("SELECT count(*) FROM worker_statuses WHERE state = 'done'").fetchone()[0]
    assert len(set(ids)) == len(ids) == done
    assert project.json("schedule", "list")["items"][0]["last_error"] is None
