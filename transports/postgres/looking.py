"""Looks at queues: how much waits in which state, and which messages are there. Beside what claims and settles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg

from transports.postgres.connection import Connection
from transports.postgres.schema import NOW
from worker.messaging.transport import Depth

# What waits behind its key's head is ready or delayed by its own time.
_COUNT = f"""SELECT q.name,
        count(*) FILTER (WHERE m.visible_at <= t.now OR (m.visible_at IS NULL AND m.due <= t.now)),
        count(*) FILTER (WHERE m.visible_at > t.now AND m.lease IS NOT NULL),
        count(*) FILTER (WHERE (m.visible_at > t.now AND m.lease IS NULL)
            OR (m.visible_at IS NULL AND m.due > t.now))
    FROM (SELECT {NOW.format("$2")} AS now) AS t, transport_queues AS q
    JOIN transport_messages AS m ON m.queue = q.id
    WHERE q.name = ANY($1::text[]) GROUP BY q.name"""
_HELD = """SELECT message_id FROM transport_messages
    WHERE queue = (SELECT id FROM transport_queues WHERE name = $1) AND message_id = ANY($2::text[])"""


async def count(connection: Connection, queues: Sequence[str], now: float | None) -> Mapping[str, Depth]:
    """Count by state in one consistent view; zeros for a queue that was never set up."""
    try:
        rows = await connection.fetch(_COUNT, list(queues), now)
    except asyncpg.UndefinedTableError:
        rows = []
    counted = {name: Depth(ready=ready, in_flight=held, delayed=later) for name, ready, held, later in rows}
    return {name: counted.get(name, Depth(ready=0, in_flight=0, delayed=0)) for name in queues}


async def held(connection: Connection, queue: str, ids: Sequence[str]) -> frozenset[str]:
    """Return those of ``ids`` that the queue still has: waiting, delayed or handed out."""
    try:
        return frozenset(row[0] for row in await connection.fetch(_HELD, queue, list(ids)))
    except asyncpg.UndefinedTableError:
        return frozenset()
