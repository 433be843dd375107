"""Looks messages up by their id, beside what claims and settles."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from transports.postgres.connection import Connection

_HELD = """SELECT message_id FROM transport_messages
    WHERE queue = (SELECT id FROM transport_queues WHERE name = $1) AND message_id = ANY($2::text[])"""


async def held(connection: Connection, queue: str, ids: Sequence[str]) -> frozenset[str]:
    """Return those of ``ids`` that the queue still has: waiting, delayed or handed out."""
    try:
        return frozenset(row[0] for row in await connection.fetch(_HELD, queue, list(ids)))
    except asyncpg.UndefinedTableError:
        return frozenset()
