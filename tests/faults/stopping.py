"""Stops a process where that holds up nobody else."""

from __future__ import annotations

import signal
import sqlite3

from tests.e2e.processes import Process
from tests.e2e.project import Project
from tests.e2e.waiting import until


def stop_between_writes(project: Project, worker: Process) -> None:
    """Stop a worker; not in the middle of a write to SQLite, whose lock it would keep from everybody."""

    def stopped() -> bool:
        worker.signal(signal.SIGSTOP)
        connection = sqlite3.connect(project.database, timeout=2.0, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            worker.signal(signal.SIGCONT)
            return False
        finally:
            connection.close()
        return True

    until(stopped, "it is stopped while others can write", 60.0, 0.1)
