"""Statements of the open breakers, and of the pauses that are theirs."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, delete, select, update

from worker.state.statements.common import Insert, Statements, added, given, own
from worker.state.tables import breakers, pauses


def statements(insert: Insert) -> Statements:
    """Name them."""
    one = and_(own(breakers), breakers.c.name == bindparam("breaker"))
    held = and_(own(pauses), pauses.c.owner == bindparam("breaker"))
    return {
        "GET": select(breakers).where(one),
        "ADD": added(insert, breakers),
        "SET": update(breakers).where(one).values(given("due", "prober", "trips")),
        "REMOVE": delete(breakers).where(one),
        "HELD": select(pauses.c.value, pauses.c.since).where(held).order_by(pauses.c.number),
        "HOLD_UNTIL": update(pauses).where(held).values(given("until")),
        "LET_GO": delete(pauses).where(held),
    }
