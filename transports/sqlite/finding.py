"""Looks messages up by their id, beside the writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from json import dumps

from transports.sqlite import faults
from transports.sqlite.connection import open_reader
from transports.sqlite.settings import Settings

_HELD = """SELECT message_id FROM transport_messages
    WHERE queue = (SELECT id FROM transport_queues WHERE name = ?)
    AND message_id IN (SELECT value FROM json_each(?))"""


def held(settings: Settings, queue: str, ids: Sequence[str]) -> frozenset[str]:
    """Return those of ``ids`` that the queue still has: waiting, delayed or handed out. Blocks.

    Raises:
        TransportUnavailable: the file does not answer.
    """
    connection = open_reader(settings)
    try:
        return frozenset(row[0] for row in connection.execute(_HELD, (queue, dumps(list(ids)))))
    except sqlite3.Error as error:
        raise faults.unavailable(settings.path, error) from error
    finally:
        connection.close()
