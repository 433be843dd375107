"""Databases that do not answer for a while: nothing is charged, nothing fails, the work goes on afterwards."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.project import Project
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.fault, pytest.mark.slow]

COUNT = 40
SLOTS = 4


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the file's write lock, as a backup or a stray shell would."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def send(project: Project) -> None:
    """Send commands of which the last wait for their release, so that something runs when it comes."""
    befores = [0.1] * (COUNT - SLOTS) + [-1] * SLOTS
    project.send_many(*(("Deposit", {"number": n, "before": before}) for n, before in enumerate(befores)))


def assert_untouched(project: Project, count: int) -> None:
    """Everything was handled once, as attempt 1, and nothing failed."""
    project.until_empty()
    rows = project.rows("SELECT number, attempt FROM deposits ORDER BY number")
    assert rows == [(number, 1) for number in range(count)]
    assert len(project.rows("SELECT number FROM bookings")) == count
    assert project.rows("SELECT count(*) FROM worker_failures") == [(0,)]
    assert project.rows("SELECT count(*) FROM worker_attempts") == [(0,)]


def test_state_database_is_locked_for_a_while(project: Project) -> None:
    """The state database locked for longer than its busy timeout charges no attempt and loses nothing."""
    worker = project.consume("-c", str(SLOTS))
    send(project)
    until(lambda: project.rows("SELECT count(*) > 5 FROM deposits") == [(1,)], "work is under way")
    with locked(project.database):
        project.mark("release", "all")
        worker.until_logged("given back")
    assert_untouched(project, COUNT)
    assert worker.running
    worker.stop()


def test_queue_file_is_locked_for_a_while(project: Project) -> None:
    """The queue's file locked for longer than its busy timeout, and than the lease, loses and doubles nothing."""
    project.configure(transport="lease = 2\nbusy_timeout = 1")
    intake = project.serve()
    worker = project.consume("-c", str(SLOTS))
    send(project)
    until(lambda: project.rows("SELECT count(*) > 5 FROM deposits") == [(1,)], "work is under way")
    with locked(project.queue_file):
        project.mark("release", "all")
        worker.until_logged("broker does not answer")
        refused = intake.post("Deposit", number=999)
        assert refused.status_code == 503, refused.text
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.headers["content-type"].startswith("application/problem+json")
        held = time.monotonic()
        until(lambda: time.monotonic() - held > 3, "the leases are over")
    assert_untouched(project, COUNT)
    assert intake.post("Deposit", number=COUNT).status_code == 202
    worker.stop()
    intake.process.stop()


def test_outage_spares_the_attempts_of_a_failing_handler(project: Project) -> None:
    """A handler that cannot reach the database is not charged, though it touched it before it failed."""
    project.send("Deposit", "number:=0", "before:=-1")
    with_lock = locked(project.database)
    worker = project.consume("-c", "1")
    until(lambda: project.marks("busy"), "the handler runs")
    with with_lock:
        project.mark("release", "all")
        worker.until_logged("given back")
    assert_untouched(project, 1)
    worker.stop()
