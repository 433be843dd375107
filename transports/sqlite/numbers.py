"""Numbers of queues: the rows refer to them instead of repeating the name."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable


class Numbers:
    """Known queues; used by the writer's thread. A queue is never removed, so what is known stays right."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def number(self, connection: sqlite3.Connection, name: str) -> int | None:
        """Return a queue's number, None where it is not set up; notices what other processes set up."""
        number = self._known.get(name)
        if number is None:
            row = connection.execute("SELECT id FROM transport_queues WHERE name = ?", (name,)).fetchone()
            if row is None:
                return None
            number = self._known[name] = int(row[0])
        return number

    def add(self, connection: sqlite3.Connection, names: Iterable[str]) -> None:
        """Set queues up."""
        connection.executemany(
            "INSERT OR IGNORE INTO transport_queues (name) VALUES (?)", [(name,) for name in names]
        )

    def forget(self) -> None:
        """Ask again from now on: a transaction was undone, and with it perhaps a queue."""
        self._known.clear()
