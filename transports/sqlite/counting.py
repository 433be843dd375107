"""Counts the messages of queues, beside the writer: a count over a deep queue must not hold up claims."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from transports.sqlite import faults
from transports.sqlite.connection import open_reader
from transports.sqlite.settings import Settings
from worker.messaging.transport import Depth

_READY = "SELECT COUNT(*) FROM transport_messages WHERE queue = ? AND visible_at <= ?"
_LATER = """SELECT COUNT(lease), COUNT(*) - COUNT(lease) FROM transport_messages
    WHERE queue = ? AND visible_at > ?"""
_BEHIND = """SELECT COALESCE(SUM(due <= ?2), 0), COALESCE(SUM(due > ?2), 0) FROM transport_messages
    WHERE queue = ?1 AND visible_at IS NULL"""


def count(settings: Settings, queues: Sequence[str], now: float) -> Mapping[str, Depth]:
    """Count by state in one consistent view; zeros for a queue that was never set up. Blocks.

    What waits behind its key's head is ready or delayed by its own time.

    Raises:
        TransportUnavailable: the file does not answer.
    """
    connection = open_reader(settings)
    try:
        connection.execute("BEGIN")
        return {name: _count(connection, name, now) for name in queues}
    except sqlite3.Error as error:
        raise faults.unavailable(settings.path, error) from error
    finally:
        connection.close()


def _count(connection: sqlite3.Connection, name: str, now: float) -> Depth:
    row = connection.execute("SELECT id FROM transport_queues WHERE name = ?", (name,)).fetchone()
    if row is None:
        return Depth(ready=0, in_flight=0, delayed=0)
    (ready,) = connection.execute(_READY, (row[0], now)).fetchone()
    held, delayed = connection.execute(_LATER, (row[0], now)).fetchone()
    ready_behind, delayed_behind = connection.execute(_BEHIND, (row[0], now)).fetchone()
    return Depth(ready=ready + ready_behind, in_flight=held, delayed=delayed + delayed_behind)
