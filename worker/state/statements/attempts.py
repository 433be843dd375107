"""Statements of the histories of failed attempts."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, exists, select

from worker.state.statements.among import Among
from worker.state.statements.common import ONE, Insert, Statements, added, pruned
from worker.state.tables import attempts, failures


def statements(insert: Insert) -> Statements:
    """Name them."""
    mine = attempts.c.message_id == bindparam("message_id")
    newest = select(attempts.c.seq).where(mine).order_by(attempts.c.seq.desc())
    oldest_kept = newest.limit(ONE).offset(bindparam("newer")).scalar_subquery()
    old = attempts.c.at < bindparam("before")
    kept = exists().where(failures.c.id == attempts.c.message_id)
    return {
        "ADD": added(insert, attempts, "seq").on_conflict_do_nothing(),
        "TRIM": delete(attempts).where(mine, attempts.c.seq < oldest_kept),
        "OF": select(attempts).where(Among(attempts.c.message_id, "ids")).order_by(attempts.c.seq),
        "FORGET": delete(attempts).where(Among(attempts.c.message_id, "ids")),
        "PRUNE": pruned(select(attempts.c.seq).where(old, ~kept), attempts.c.seq),
    }
