"""Counts the messages of queues by state, beside what claims and settles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg

from transports.postgres.connection import Connection
from transports.postgres.schema import NOW
from worker.messaging.transport import Depth

# Each part goes along the index, most of it without a look at the rows. What waits behind its key's head is ready or
# delayed by its own time.
_COUNT = f"""SELECT q.name, visible.ready + behind.ready, later.held, later.delayed + behind.delayed
    FROM transport_queues AS q, (SELECT {NOW.format("$2")} AS now) AS t,
    LATERAL (SELECT count(*) AS ready FROM transport_messages AS m
        WHERE m.queue = q.id AND m.visible_at <= t.now) AS visible,
    LATERAL (SELECT count(m.lease) AS held, count(*) - count(m.lease) AS delayed FROM transport_messages AS m
        WHERE m.queue = q.id AND m.visible_at > t.now) AS later,
    LATERAL (SELECT count(*) FILTER (WHERE m.due <= t.now) AS ready, count(*) FILTER (WHERE m.due > t.now) AS delayed
        FROM transport_messages AS m WHERE m.queue = q.id AND m.visible_at IS NULL) AS behind
    WHERE q.name = ANY($1::text[])"""


async def count(connection: Connection, queues: Sequence[str], now: float | None) -> Mapping[str, Depth]:
    """Count by state in one consistent view; zeros for a queue that was never set up."""
    try:
        rows = await connection.fetch(_COUNT, list(queues), now)
    except asyncpg.UndefinedTableError:
        rows = []
    counted = {name: Depth(ready=ready, in_flight=held, delayed=later) for name, ready, held, later in rows}
    return {name: counted.get(name, Depth(ready=0, in_flight=0, delayed=0)) for name in queues}
