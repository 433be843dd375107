"""Statements of the histories of failed attempts."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, delete, exists, select

from worker.state.statements.among import Among
from worker.state.statements.common import ONE, Insert, Statements, added, own, pruned
from worker.state.tables import attempts, failures


def statements(insert: Insert) -> Statements:
    """Name them."""
    mine = and_(own(attempts), attempts.c.message_id == bindparam("message_id"))
    listed = and_(own(attempts), Among(attempts.c.message_id, "ids"))
    newest = select(attempts.c.seq).where(mine).order_by(attempts.c.seq.desc())
    oldest_kept = newest.limit(ONE).offset(bindparam("newer")).scalar_subquery()
    old = and_(own(attempts), attempts.c.at < bindparam("before"))
    kept = exists().where(own(failures), failures.c.id == attempts.c.message_id)
    return {
        "ADD": added(insert, attempts, "seq").on_conflict_do_nothing(),
        "TRIM": delete(attempts).where(mine, attempts.c.seq < oldest_kept),
        "OF": select(attempts).where(listed).order_by(attempts.c.seq),
        "FORGET": delete(attempts).where(listed),
        "PRUNE": pruned(select(attempts.c.seq).where(old, ~kept), attempts.c.seq),
    }
