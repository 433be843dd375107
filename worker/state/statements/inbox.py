"""Statements of the inbox."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select

from worker.state.statements.among import Among
from worker.state.statements.common import Insert, Statements, added, own, pruned
from worker.state.tables import inbox


def statements(insert: Insert) -> Statements:
    """Name them."""
    key = (inbox.c.message_id, inbox.c.handler)
    return {
        "KNOWN": select(*key).where(own(inbox), Among(inbox.c.message_id, "ids")),
        "ADD": added(insert, inbox).on_conflict_do_nothing(),
        "FORGET": delete(inbox).where(own(inbox), inbox.c.message_id == bindparam("message_id")),
        "PRUNE": pruned(select(*key).where(own(inbox), inbox.c.done_at < bindparam("before")), *key),
    }
