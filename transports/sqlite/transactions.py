"""One transaction for many operations: which fail alone, which fail together, and of which the outcome is unknown."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from transports.sqlite import connection, faults
from transports.sqlite.numbers import Numbers
from transports.sqlite.operation import Operation
from transports.sqlite.settings import Settings


class Transactions:
    """Performs operations over one connection; used by the writer's thread."""

    def __init__(self, settings: Settings, sqlite: sqlite3.Connection) -> None:
        self._settings = settings
        self._sqlite = sqlite
        self._numbers = Numbers()
        self._synchronous = ""
        self._refusal: Exception | None = None

    def refuse(self, error: Exception | None) -> None:
        """Let every operation fail with ``error`` from now on, as no other process sees the open file; None ends that."""
        self._refusal = error

    def run(self, operations: Sequence[Operation], now: float) -> None:
        """Do them in one transaction, and set the ``result`` or ``error`` of each; never raises."""
        try:
            if self._refusal is not None:
                raise self._refusal
            if not self._only_looks(operations, now):
                self._begin(operations)
                self._perform(operations, now)
                self._commit()
        except BaseException as error:
            # all callers share the thread, so it must go on, whatever an operation has raised
            self._undo()
            failure = (
                error
                if isinstance(error, Exception)
                else faults.OutcomeUnknown(f"the writer failed: {error!r}")
            )
            if isinstance(error, sqlite3.Error):
                failure = faults.unavailable(self._settings.path, error)
            for operation in operations:
                operation.error = operation.error or failure
                operation.woken = ()

    def _only_looks(self, operations: Sequence[Operation], now: float) -> bool:
        """Whether nothing is to be written: then the results are there, and the lock was left to others."""
        return connection.patiently(
            self._settings,
            lambda: (
                not any(operation.needs_lock(self._sqlite, self._numbers, now) for operation in operations)
            ),
        )

    def _begin(self, operations: Sequence[Operation]) -> None:
        must_sync = any(operation.syncs for operation in operations)
        synchronous = self._settings.synchronous if must_sync else "normal"
        if synchronous != self._synchronous:
            self._sqlite.execute(f"PRAGMA synchronous = {synchronous}")
            self._synchronous = synchronous
        # never a deferred transaction: that may fail when it turns from reading to writing, however long it waits
        connection.patiently(self._settings, lambda: self._sqlite.execute("BEGIN IMMEDIATE"))

    def _perform(self, operations: Sequence[Operation], now: float) -> None:
        groups: dict[type[Operation], list[Operation]] = {}
        for operation in operations:
            groups.setdefault(type(operation), []).append(operation)
        for kind in sorted(groups, key=lambda kind: kind.stage):
            group = groups[kind]
            if self._attempt(group, now) is None:
                continue
            for operation in group:  # one operation makes the group fail: only that one shall fail
                error = self._attempt([operation], now)
                if error is not None:
                    operation.error = error
                    operation.woken = ()

    def _attempt(self, group: Sequence[Operation], now: float) -> Exception | None:
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
