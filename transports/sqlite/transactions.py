"""One transaction for many jobs: which fail alone, which fail together, and of which the outcome is unknown."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from transports.sqlite import connection, faults
from transports.sqlite.job import Job
from transports.sqlite.numbers import Numbers
from transports.sqlite.settings import Settings


class Transactions:
    """Performs jobs over one connection; used by the writer's thread."""

    def __init__(self, settings: Settings, sqlite: sqlite3.Connection) -> None:
        self._settings = settings
        self._sqlite = sqlite
        self._numbers = Numbers()
        self._synchronous = ""
        self._refusal: Exception | None = None

    def refuse(self, error: Exception | None) -> None:
        """Let every job fail with ``error`` from now on, as no other process sees the open file; None ends that."""
        self._refusal = error

    def run(self, jobs: Sequence[Job], now: float) -> None:
        """Do them in one transaction, and set the ``result`` or ``error`` of each; never raises."""
        try:
            if self._refusal is not None:
                raise self._refusal
            if not self._only_looks(jobs, now):
                self._begin(jobs)
                self._perform(jobs, now)
                self._commit()
        except BaseException as error:
            # all callers share the thread, so it must go on, whatever a job has raised
            self._undo()
            failure = (
                error
                if isinstance(error, Exception)
                else faults.OutcomeUnknown(f"the writer failed: {error!r}")
            )
            if isinstance(error, sqlite3.Error):
                failure = faults.unavailable(self._settings.path, error)
            for job in jobs:
                job.error = job.error or failure
                job.woken = ()

    def _only_looks(self, jobs: Sequence[Job], now: float) -> bool:
        """Whether nothing is to be written: then the results are there, and the lock was left to others."""
        return connection.patiently(
            self._settings,
            lambda: not any(job.needs_lock(self._sqlite, self._numbers, now) for job in jobs),
        )

    def _begin(self, jobs: Sequence[Job]) -> None:
        must_sync = any(job.syncs for job in jobs)
        synchronous = self._settings.synchronous if must_sync else "normal"
        if synchronous != self._synchronous:
            self._sqlite.execute(f"PRAGMA synchronous = {synchronous}")
            self._synchronous = synchronous
        # never a deferred transaction: that may fail when it turns from reading to writing, however long it waits
        connection.patiently(self._settings, lambda: self._sqlite.execute("BEGIN IMMEDIATE"))

    def _perform(self, jobs: Sequence[Job], now: float) -> None:
        groups: dict[type[Job], list[Job]] = {}
        for job in jobs:
            groups.setdefault(type(job), []).append(job)
        for kind in sorted(groups, key=lambda kind: kind.stage):
            group = groups[kind]
            if self._attempt(group, now) is None:
                continue
            for job in group:  # one job makes the group fail: only that one shall fail
                error = self._attempt([job], now)
                if error is not None:
                    job.error = error
                    job.woken = ()

    def _attempt(self, group: Sequence[Job], now: float) -> Exception | None:
        self._sqlite.execute("SAVEPOINT attempt")
        try:
            type(group[0]).perform(self._sqlite, self._numbers, now, group)
        except Exception as error:
            if not self._sqlite.in_transaction:
                raise  # SQLite has undone everything (a full disk)
            self._sqlite.execute("ROLLBACK TO attempt")
            self._sqlite.execute("RELEASE attempt")
            self._numbers.forget()
            return (
                faults.unavailable(self._settings.path, error) if isinstance(error, sqlite3.Error) else error
            )
        self._sqlite.execute("RELEASE attempt")
        return None

    def _commit(self) -> None:
        try:
            connection.patiently(self._settings, lambda: self._sqlite.execute("COMMIT"))
        except sqlite3.Error as error:
            if faults.leaves_commit_open(error):
                raise faults.OutcomeUnknown(str(faults.unavailable(self._settings.path, error))) from error
            raise

    def _undo(self) -> None:
        self._numbers.forget()
        self._synchronous = ""
        try:
            if self._sqlite.in_transaction:
                self._sqlite.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # it has undone everything by itself
