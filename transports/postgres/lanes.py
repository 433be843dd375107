"""Lanes: messages of one key, of which only the first can be claimed.

One transaction at a time adds rows to a lane or brings its next one forward: else a message that is being added would not
see that the one before it is just leaving, and would wait for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable

from transports.postgres.connection import Connection

_BUCKETS = 256
"""Locks that one transaction holds at most; the server has room for a limited number."""

_ADVANCE = """UPDATE transport_messages AS m SET visible_at = m.due
    FROM (SELECT (SELECT id FROM transport_messages AS first WHERE first.queue = lane.queue AND first.key = lane.key
            ORDER BY first.queue, first.key, first.id LIMIT 1) AS id
        FROM unnest($1::int[], $2::text[]) AS lane (queue, key)) AS head
    WHERE m.id = head.id AND m.visible_at IS NULL"""

Lane = tuple[int, str]
"""Number of the queue, and the key as it is stored."""


async def begin(connection: Connection, lanes: Iterable[Lane]) -> None:
    """Begin a transaction that has these lanes for itself. End it with ``COMMIT``."""
    buckets = sorted({_bucket(lane) for lane in lanes})  # in the same order everywhere: no deadlock
    locks = "".join(f"SELECT pg_advisory_xact_lock({bucket});" for bucket in buckets)
    await connection.execute(f"BEGIN;{locks}")


async def advance(connection: Connection, lanes: Collection[Lane]) -> None:
    """Make the first message of each lane visible, where it is not."""
    await connection.execute(_ADVANCE, [queue for queue, _ in lanes], [key for _, key in lanes])


def _bucket(lane: Lane) -> int:
    queue, key = lane
    digest = hashlib.blake2b(f"{queue}:{key}".encode(), digest_size=4).digest()
    # a space of its own among the advisory locks of the database
    return (0x434D57_00 << 32) + int.from_bytes(digest) % _BUCKETS
