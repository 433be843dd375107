"""Tables of the SQLite transport.

One column, ``visible_at``, serves delay, lease and retry: a claim moves it, so claimed rows leave the front of the
index. It is NULL while an earlier message of the same key is there (a lane); ``due`` then keeps the message's own time.
"""

from __future__ import annotations

import sqlite3

VERSION = 1

_STATEMENTS = (
    """CREATE TABLE IF NOT EXISTS transport_queues (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    )""",
    """CREATE TABLE IF NOT EXISTS transport_messages (
        id INTEGER PRIMARY KEY,
        queue INTEGER NOT NULL,
        message_id TEXT NOT NULL,
        visible_at REAL,
        lease INTEGER,
        deaths INTEGER NOT NULL DEFAULT 0,
        key TEXT,
        due REAL,
        content_type TEXT,
        body BLOB NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS transport_visible ON transport_messages (queue, visible_at, id)",
    "CREATE UNIQUE INDEX IF NOT EXISTS transport_same ON transport_messages (queue, message_id)",
    "CREATE INDEX IF NOT EXISTS transport_lanes ON transport_messages (queue, key, id) WHERE key IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS transport_schema (version INTEGER NOT NULL)",
    # what makes up for steps of the machine's clock, see ``timekeeping``
    "CREATE TABLE IF NOT EXISTS transport_clock (skew REAL NOT NULL)",
    "INSERT INTO transport_clock SELECT 0.0 WHERE NOT EXISTS (SELECT 1 FROM transport_clock)",
    f"INSERT INTO transport_schema SELECT {VERSION} WHERE NOT EXISTS (SELECT 1 FROM transport_schema)",
)


def is_current(connection: sqlite3.Connection) -> bool:
    """Whether the tables are there.

    Raises:
        sqlite3.DatabaseError: a newer release made them.
    """
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'transport_schema'").fetchone()
    if found is None:
        return False
    row = connection.execute("SELECT version FROM transport_schema").fetchone()
    if row is not None and row[0] > VERSION:
        raise sqlite3.DatabaseError(
            f"its tables have version {row[0]}, made by a newer release; this one knows {VERSION}"
        )
    clock = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'transport_clock'").fetchone()
    return row is not None and clock is not None


def create(connection: sqlite3.Connection) -> None:
    """Create what is missing; to be called inside a transaction that holds the write lock."""
    for statement in _STATEMENTS:
        connection.execute(statement)
