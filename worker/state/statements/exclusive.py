"""Statements of the exclusive lock."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, update

from worker.state.statements.common import Insert, Statements, added, given
from worker.state.tables import exclusive


def statements(insert: Insert) -> Statements:
    """Name them."""
    mine = exclusive.c.message_id == bindparam("message_id")
    return {
        "HELD": select(exclusive),
        "CLEAR": delete(exclusive),
        "TAKE": added(insert, exclusive),
        "EXTEND": update(exclusive).where(mine).values(given("until")),
        "RELEASE": delete(exclusive).where(mine),
    }
