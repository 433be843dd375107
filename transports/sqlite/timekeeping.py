"""Keeps the time of a file: one for all processes that use it, whatever is done to the machine's clock meanwhile."""

from __future__ import annotations

import sqlite3
import time

from transports.sqlite import connection
from transports.sqlite.settings import Settings
from worker.messaging.steady import SteadyClock

_EVERY = 1.0
"""Seconds between two looks at what the processes have agreed on."""

_READ = "SELECT skew FROM transport_clock"


class Timekeeper:
    """Reconciles a process's clock with that of the file; used by the writer's thread.

    Args:
        clock: of this process; may be read on other threads.
    """

    def __init__(self, settings: Settings, sqlite: sqlite3.Connection, clock: SteadyClock) -> None:
        self._settings = settings
        self._sqlite = sqlite
        self._clock = clock
        self._next = 0.0

    def now(self) -> float:
        """Return the time, before a transaction."""
        now = self._clock()
        if self._clock.stepped or time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY
            self._reconcile()
            return self._clock()
        return now

    def _reconcile(self) -> None:
        """Take over what is agreed on, or write down a step that this process saw first; a failure is tried again later."""
        try:
            if self._clock.reconcile(self._stored()) is None:
                return
            connection.patiently(self._settings, lambda: self._sqlite.execute("BEGIN IMMEDIATE"))
            skew = self._clock.reconcile(self._stored())
            if skew is not None:
                self._sqlite.execute("UPDATE transport_clock SET skew = ?", (skew,))
            self._sqlite.execute("COMMIT")
            self._clock.reconcile(self._stored())
        except sqlite3.Error:
            if self._sqlite.in_transaction:
                self._sqlite.execute("ROLLBACK")

    def _stored(self) -> float:
        (skew,) = self._sqlite.execute(_READ).fetchone()
        return float(skew)
