"""Tables of the PostgreSQL transport; their names keep apart from those of the state in the same database.

One column, ``visible_at``, serves delay, lease and retry: a claim moves it, so claimed rows leave the front of the
index. It is NULL while an earlier message of the same key is there (a lane); ``due`` then keeps the message's own time.
"""

from __future__ import annotations

from transports.postgres.connection import Connection
from worker.errors import TransportUnavailable

VERSION = 1

NOW = "coalesce({0}::float8, extract(epoch FROM statement_timestamp())::float8)"
"""The time: as the worker gives it, see ``timekeeping``; where it gives none, the server's own."""

_STATEMENTS = (
    """CREATE TABLE IF NOT EXISTS transport_queues (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL UNIQUE
    )""",
    # rows live briefly, so dead ones are vacuumed soon, not only when they are a fifth of the table
    """CREATE TABLE IF NOT EXISTS transport_messages (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        queue integer NOT NULL,
        message_id text NOT NULL,
        visible_at float8,
        lease bigint,
        deaths integer NOT NULL DEFAULT 0,
        key text,
        due float8,
        content_type text,
        body bytea NOT NULL
    ) WITH (
        autovacuum_vacuum_scale_factor = 0.01,
        autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_insert_scale_factor = 0.2,
        autovacuum_analyze_scale_factor = 0.2,
        autovacuum_vacuum_cost_delay = 0
    )""",
    "CREATE INDEX IF NOT EXISTS transport_visible ON transport_messages (queue, visible_at, id)",
    "CREATE UNIQUE INDEX IF NOT EXISTS transport_same ON transport_messages (queue, message_id)",
    "CREATE INDEX IF NOT EXISTS transport_lanes ON transport_messages (queue, key, id) WHERE key IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS transport_schema (version integer NOT NULL)",
    # what makes up for steps of the server's clock, and when a worker last found it in order
    "CREATE TABLE IF NOT EXISTS transport_clock (skew float8 NOT NULL, seen float8 NOT NULL)",
    "INSERT INTO transport_clock SELECT 0.0, 0.0 WHERE NOT EXISTS (SELECT 1 FROM transport_clock)",
    f"INSERT INTO transport_schema SELECT {VERSION} WHERE NOT EXISTS (SELECT 1 FROM transport_schema)",
)
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('command-worker transport setup'))"
_MISSING = """SELECT name FROM unnest($1::text[]) AS wanted (name)
    WHERE NOT EXISTS (SELECT 1 FROM transport_queues AS q WHERE q.name = wanted.name)"""


async def is_there(connection: Connection, shown: str) -> bool:
    """Whether the tables are there.

    Raises:
        TransportUnavailable: a newer release made them.
    """
    if await connection.fetchval("SELECT to_regclass('transport_schema')") is None:
        return False
    version = await connection.fetchval("SELECT version FROM transport_schema")
    if version is not None and version > VERSION:
        raise TransportUnavailable(
            f"postgresql {shown}: the transport's tables have version {version}, made by a newer release; "
            f"this one knows {VERSION}"
        )
    return version is not None


async def is_whole(connection: Connection, shown: str) -> bool:
    """Whether nothing is missing of the tables, also of what later releases have added. Raises as ``is_there``."""
    there = await is_there(connection, shown)
    return there and await connection.fetchval("SELECT to_regclass('transport_clock')") is not None


async def missing(connection: Connection, shown: str, names: list[str]) -> list[str]:
    """Names of queues that were not set up.

    Raises:
        TransportUnavailable: a newer release made the tables.
    """
    if not await is_there(connection, shown):
        return names
    return [row[0] for row in await connection.fetch(_MISSING, names)]


async def create(connection: Connection, shown: str, names: list[str]) -> None:
    """Create what is missing, in one transaction; processes that do so at the same time take turns.

    Raises:
        TransportUnavailable: a newer release made the tables.
    """
    async with connection.transaction():
        await connection.execute(_LOCK)
        if not await is_whole(connection, shown):
            for statement in _STATEMENTS:
                await connection.execute(statement)
        await connection.execute(
            "INSERT INTO transport_queues (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", names
        )
