"""Statements of the exclusive lock."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, delete, select, update

from worker.state.statements.common import Insert, Statements, added, given, own
from worker.state.tables import exclusive


def statements(insert: Insert) -> Statements:
    """Name them."""
    mine = and_(own(exclusive), exclusive.c.message_id == bindparam("message_id"))
    return {
        "HELD": select(exclusive).where(own(exclusive)),
        "CLEAR": delete(exclusive).where(own(exclusive)),
        "TAKE": added(insert, exclusive),
        "EXTEND": update(exclusive).where(mine).values(given("until")),
        "RELEASE": delete(exclusive).where(mine),
    }
