"""The reference: a queue as one would write it on ``sqlite3`` alone, with the same durability."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

SYNCHRONOUS = "FULL"
BATCH = 100
"""Messages of one claim and of one delete."""

_CLAIM = """UPDATE messages SET visible_at = ?, lease = ? WHERE id IN (
    SELECT id FROM messages WHERE queue = 'q' AND visible_at <= ? ORDER BY visible_at, id LIMIT ?
) RETURNING id, body"""
_DELETE = "DELETE FROM messages WHERE lease = ? AND id IN (SELECT value FROM json_each(?))"


class BareQueue:
    """A table in one file, one connection, nothing between."""

    def __init__(self, path: Path) -> None:
        self._sqlite = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._sqlite.execute("PRAGMA journal_mode = WAL")
        self._sqlite.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
        self._sqlite.execute(
            "CREATE TABLE messages"
            " (id INTEGER PRIMARY KEY, queue TEXT, visible_at REAL, lease INTEGER, body BLOB)"
        )
        self._sqlite.execute("CREATE INDEX due ON messages (queue, visible_at, id)")

    def add(self, bodies: Sequence[bytes]) -> None:
        """Insert in one transaction."""
        now = time.time()
        self._sqlite.execute("BEGIN IMMEDIATE")
        self._sqlite.executemany(
            "INSERT INTO messages (queue, visible_at, body) VALUES ('q', ?, ?)",
            [(now, body) for body in bodies],
        )
        self._sqlite.execute("COMMIT")

    def drain(self) -> int:
        """Claim and delete until nothing is left, a transaction each; return how many there were."""
        done = 0
        lease = 0
        while True:
            now = time.time()
            lease += 1
            self._sqlite.execute("BEGIN IMMEDIATE")
            rows = self._sqlite.execute(_CLAIM, (now + 60, lease, now, BATCH)).fetchall()
            self._sqlite.execute("COMMIT")
            if not rows:
                return done
            self._sqlite.execute("BEGIN IMMEDIATE")
            self._sqlite.execute(_DELETE, (lease, json.dumps([row[0] for row in rows])))
            self._sqlite.execute("COMMIT")
            done += len(rows)

    def close(self) -> None:
        """Let go of the file."""
        self._sqlite.close()
