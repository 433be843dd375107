"""What the handlers have done: lines in a file, rows in either kind of state database."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg

from tests.faults.app import NOTES, STARTS, WIDTH
from tests.faults.onlooker import Onlooker

TABLES = ("kept", "told")
COLUMNS = "number INTEGER, message_id TEXT, attempt INTEGER"


class Effects:
    """Reads the notes and the tables of the application under faults.

    Args:
        folder: where the workers run.
        url: the state database, ``sqlite:////…`` (absolute) or ``postgresql://…``.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self._url = url
        self._onlooker = None if url.startswith("sqlite") else Onlooker(url)
        self._starts = folder / STARTS
        self._notes = folder / NOTES
        self._read = 0
        self._counted = (0.0, 0)
        self.noted: Counter[int] = Counter()
        self.by_worker: Counter[int] = Counter()
        for table in TABLES:
            self.run(f"CREATE TABLE {table} ({COLUMNS})")

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement."""
        if self._onlooker is None:
            return self._run_sqlite(statement)
        return self._onlooker.rows(statement)

    def close(self) -> None:
        """Look no more."""
        if self._onlooker is not None:
            self._onlooker.close()

    def count(self) -> int:
        """Commands noted or kept by now, duplicates included, not older than a fifth of a second.

        While the database is away it is what was last known.
        """
        at, number = self._counted
        if time.monotonic() - at > 0.2:
            lines = self._notes.stat().st_size // WIDTH if self._notes.exists() else 0
            try:
                number = lines + self.rows("kept")
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                return number
            self._counted = (time.monotonic(), number)
        return number

    def rows(self, table: str) -> int:
        """Rows of a table."""
        return int(self.run(f"SELECT count(*) FROM {table}")[0][0])

    def numbers(self, table: str) -> Counter[int]:
        """How often each number is stored."""
        return Counter(int(number) for (number,) in self.run(f"SELECT number FROM {table}"))

    def begun(self) -> set[int]:
        """Numbers that a handler has begun to note."""
        if not self._starts.exists():
            return set()
        lines = self._starts.read_bytes().splitlines(keepends=True)
        return {int(line.split()[0]) for line in lines if len(line) == WIDTH}

    def look(self) -> list[tuple[int, int]]:
        """Read what was noted since the last look: number and process of each."""
        if not self._notes.exists():
            return []
        with self._notes.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        new = new[: len(new) // WIDTH * WIDTH]
        self._read += len(new)
        pairs = [(int(number), int(pid)) for number, pid in (line.split() for line in new.splitlines())]
        for number, pid in pairs:
            self.noted[number] += 1
            self.by_worker[pid] += 1
        return pairs

    def _run_sqlite(self, statement: str) -> list[tuple[Any, ...]]:
        file = Path(self._url.removeprefix("sqlite:///"))
        file.parent.mkdir(exist_ok=True)
        connection = sqlite3.connect(file, timeout=30, isolation_level=None)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()
