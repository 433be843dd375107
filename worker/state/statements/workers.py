"""Statements of the heartbeats."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select

from worker.state.statements.common import Insert, Statements, replaced
from worker.state.tables import workers


def statements(insert: Insert) -> Statements:
    """Name them."""
    return {
        "BEAT": replaced(insert, workers, "id"),
        "LIVE": select(workers)
        .where(workers.c.seen_at >= bindparam("since"))
        .order_by(workers.c.started_at, workers.c.id),
        "REMOVE": delete(workers).where(workers.c.id == bindparam("worker_id")),
        "PRUNE": delete(workers).where(workers.c.seen_at < bindparam("before")),
    }
