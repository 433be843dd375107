"""Transactions of the writer's thread: nothing that a job raises ends the thread."""

from __future__ import annotations

import sqlite3
from typing import Any, cast

from transports.sqlite.faults import OutcomeUnknown
from transports.sqlite.job import Job
from transports.sqlite.settings import Settings
from transports.sqlite.transactions import Transactions


class Wild:
    """A job that raises what is no Exception, as a library does that a handler has spoilt."""

    stage = 0
    syncs = False
    error: Any = None
    woken: Any = ("q",)

    def needs_lock(self, *given: Any) -> bool:
        return True

    @staticmethod
    def perform(*given: Any) -> None:
        raise SystemExit(1)


def test_what_is_no_exception_is_an_unknown_outcome(tmp_path: Any) -> None:
    """The transaction is undone, its callers are told, and the next one is done."""
    connection = sqlite3.connect(tmp_path / "queue.db", isolation_level=None)
    transactions = Transactions(Settings(path=tmp_path / "queue.db"), connection)
    job = cast("Job", Wild())
    transactions.run([job], 0.0)
    assert isinstance(job.error, OutcomeUnknown)
    assert "SystemExit" in str(job.error)
    assert job.woken == ()
    assert not connection.in_transaction
    connection.close()
