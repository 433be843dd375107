"""The reference: a queue as one would write it on asyncpg alone, over one connection, with the same durability."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import asyncpg

BATCH = 100
"""Messages of one claim and of one delete."""

_TABLE = """CREATE TABLE bare_messages (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message_id text NOT NULL,
    visible_at timestamptz NOT NULL, lease bigint, body bytea NOT NULL);
    CREATE INDEX bare_due ON bare_messages (visible_at, id);
    CREATE UNIQUE INDEX bare_same ON bare_messages (message_id)"""
_ADD = """INSERT INTO bare_messages (message_id, visible_at, body)
    SELECT m.id, now(), m.body FROM unnest($1::text[], $2::bytea[]) AS m (id, body)"""
_CLAIM = """WITH chosen AS MATERIALIZED (SELECT id FROM bare_messages WHERE visible_at <= now()
        ORDER BY visible_at, id LIMIT $1 FOR UPDATE SKIP LOCKED)
    UPDATE bare_messages AS m SET visible_at = now() + interval '60 s', lease = $2 FROM chosen
    WHERE m.id = chosen.id RETURNING m.id, m.body"""
_DELETE = "DELETE FROM bare_messages WHERE id = ANY($1::bigint[]) AND lease = $2"


class BareQueue:
    """A table, one connection, nothing between."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._numbers = itertools.count()

    @classmethod
    async def open(cls, url: str) -> BareQueue:
        """Connect, and make an empty table."""
        connection = await asyncpg.connect(url)
        await connection.execute(f"DROP TABLE IF EXISTS bare_messages; {_TABLE}")
        return cls(connection)

    async def add(self, bodies: Sequence[bytes]) -> None:
        """Insert in one statement."""
        ids = [f"{next(self._numbers):036d}" for _ in bodies]
        await self._connection.execute(_ADD, ids, list(bodies))

    async def analyse(self) -> None:
        """Give the planner its statistics: without them it would sort all that waits, for each claim."""
        await self._connection.execute("ANALYZE bare_messages")

    async def drain(self) -> int:
        """Claim and delete until nothing is left, a transaction each; return how many there were."""
        done = 0
        for lease in itertools.count():
            rows = await self._connection.fetch(_CLAIM, BATCH, lease)
            if not rows:
                break
            await self._connection.execute(_DELETE, [row[0] for row in rows], lease)
            done += len(rows)
        return done

    async def close(self) -> None:
        """Let go of the connection."""
        await self._connection.close()
