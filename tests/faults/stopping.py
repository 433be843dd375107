"""Stops a process where that holds up no other."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing

from tests.e2e.processes import Process
from tests.e2e.project import Project
from tests.e2e.waiting import PATIENCE, until_stopped


def stop_between_writes(project: Project, worker: Process) -> None:
    """Stop a worker; not in the middle of a write to SQLite, whose lock it would keep from all others.

    This process has the lock while it does so: to stop the worker and look whether others can write may find it amid a
    write again and again, as there is much to write behind each stop.
    """
    with closing(sqlite3.connect(project.database, timeout=PATIENCE, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        worker.signal(signal.SIGSTOP)
        until_stopped(worker.pid)
        connection.execute("ROLLBACK")
