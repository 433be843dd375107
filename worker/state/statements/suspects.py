"""Statements of the messages that were in hand when a worker died."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select

from worker.state.statements.among import Among
from worker.state.statements.common import Insert, Statements, own, pruned, replaced
from worker.state.tables import suspects, workers


def statements(insert: Insert) -> Statements:
    """Name them."""
    names = suspects.c.name
    return {
        "OF": select(names, suspects.c.record).where(own(suspects), Among(names, "names")),
        "PUT": replaced(insert, suspects),
        "REMOVE": delete(suspects).where(own(suspects), Among(names, "names")),
        "SEEN": select(workers.c.id, workers.c.seen_at).where(own(workers), Among(workers.c.id, "ids")),
        "PRUNE": pruned(select(names).where(own(suspects), suspects.c.at < bindparam("before")), names),
    }
