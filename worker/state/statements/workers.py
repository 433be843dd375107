"""Statements of the heartbeats."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select

from worker.state.statements.common import Insert, Statements, own, replaced
from worker.state.tables import workers


def statements(insert: Insert) -> Statements:
    """Name them."""
    columns = [column for column in workers.columns if column.name != "application"]
    return {
        "BEAT": replaced(insert, workers),
        "LIVE": select(*columns)
        .where(own(workers), workers.c.seen_at >= bindparam("since"))
        .order_by(workers.c.started_at, workers.c.id),
        "REMOVE": delete(workers).where(workers.c.id == bindparam("worker_id")),
        "PRUNE": delete(workers).where(own(workers), workers.c.seen_at < bindparam("before")),
    }
