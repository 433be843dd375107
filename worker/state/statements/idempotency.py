"""Statements of the idempotency keys."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, delete, select, update

from worker.state.statements.among import Among
from worker.state.statements.common import Insert, Statements, added, given, own, pruned
from worker.state.tables import idempotency


def statements(insert: Insert) -> Statements:
    """Name them."""
    listed = and_(own(idempotency), Among(idempotency.c.id, "ids"))
    over = idempotency.c.expires_at <= bindparam("now")
    one = and_(own(idempotency), idempotency.c.id == bindparam("its"))
    mine = and_(one, idempotency.c.claim == bindparam("mine"))
    taken = [column.name for column in idempotency.columns if column.name not in {"application", "id"}]
    return {
        "FORGET": delete(idempotency).where(listed, over),
        "ADD": added(insert, idempotency).on_conflict_do_nothing(),
        "CHOSEN": select(idempotency).where(listed).order_by(idempotency.c.id).with_for_update(),
        "TAKE": update(idempotency).where(one).values(given(*taken)),
        "END": update(idempotency).where(mine).values(given("state", "answer")),
        "PRUNE": pruned(select(idempotency.c.id).where(own(idempotency), over), idempotency.c.id),
    }
