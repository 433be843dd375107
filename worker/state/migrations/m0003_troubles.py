"""Version 3: what keeps a worker from consuming, in its heartbeat; an index to find what is due in the outbox."""

from __future__ import annotations

from sqlalchemy import Connection, text


def upgrade(connection: Connection, _application: str) -> None:
    """Add the column and the index."""
    connection.execute(text("ALTER TABLE worker_workers ADD COLUMN troubles TEXT DEFAULT '[]' NOT NULL"))
    connection.execute(text("CREATE INDEX worker_outbox_claimed_until ON worker_outbox (claimed_until)"))
