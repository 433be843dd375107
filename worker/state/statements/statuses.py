"""Statements of the status of commands."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, select

from worker.state.statements.among import Among
from worker.state.statements.common import Insert, Statements, own, pruned
from worker.state.tables import statuses


def statements(insert: Insert) -> Statements:
    """Name them; the one that joins rows is text, in ``status_row``."""
    columns = [column for column in statuses.columns if column.name != "application"]
    ended = and_(own(statuses), statuses.c.finished_at < bindparam("before"))
    lost = and_(own(statuses), statuses.c.finished_at.is_(None), statuses.c.at < bindparam("before"))
    return {
        "OF": select(*columns).where(own(statuses), Among(statuses.c.id, "ids")),
        "PRUNE_ENDED": pruned(select(statuses.c.id).where(ended), statuses.c.id),
        "PRUNE_LOST": pruned(select(statuses.c.id).where(lost), statuses.c.id),
    }
