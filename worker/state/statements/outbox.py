"""Statements of the outbox. Rows whose claimant is ``schedule`` wait for their time, and are in nobody's way."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, bindparam, delete, func, literal_column, or_, select, update
from sqlalchemy.sql import ColumnElement

from worker.state.statements.among import Among
from worker.state.statements.common import ONE, Insert, Statements, added, limited, own
from worker.state.tables import outbox


def statements(insert: Insert) -> Statements:
    """Name them."""
    now: Any = bindparam("now")
    worker: Any = bindparam("worker")
    free = or_(outbox.c.claimed_until <= now, outbox.c.claimed_by == worker)
    waits = and_(outbox.c.claimed_by == bindparam("schedule"), outbox.c.claimed_until > now)
    oldest = limited(select(outbox).where(own(outbox)).order_by(outbox.c.seq), bindparam("limit"))
    claimable = oldest.where(free, *_behind_nobody(now, worker))
    where = (outbox.c.transport, outbox.c.queue)
    due = outbox.c.created_at + outbox.c.delay - bindparam("longest", type_=outbox.c.delay.type)
    mine = Among(outbox.c.seq, "seqs")
    return {
        "ANY": limited(select(outbox.c.seq).where(own(outbox), free), ONE),
        "CLAIMABLE": claimable,
        "CLAIMABLE_BY": claimable.where(Among(outbox.c.transport, "transports")),
        "CLAIM": update(outbox).where(mine).values(claimed_by=worker, claimed_until=bindparam("until")),
        "ADD": added(insert, outbox, "seq"),
        "ADD_ONCE": added(insert, outbox, "seq").on_conflict_do_nothing(),
        "REPLACE": delete(outbox).where(own(outbox), Among(outbox.c.message_id, "ids")),
        "POSTPONE": update(outbox)
        .where(mine)
        .values(claimed_by=bindparam("schedule"), claimed_until=due, origin=outbox.c.message_id),
        "PARKED": select(*where, func.count().label("count")).where(own(outbox), waits).group_by(*where),
        "PENDING": oldest.where(outbox.c.created_at <= bindparam("before")),
        "REMOVE": delete(outbox).where(mine),
        "RELEASE": update(outbox)
        .where(own(outbox), outbox.c.claimed_by == worker)
        .values(claimed_until=literal_column("0.0")),
        "HELD": limited(
            select(outbox.c.seq).where(own(outbox), outbox.c.message_id == bindparam("message_id")), ONE
        ),
        "COUNT": select(func.count()).select_from(outbox).where(own(outbox), ~waits),
    }


def _behind_nobody(now: Any, worker: Any) -> list[ColumnElement[bool]]:
    """Nobody else holds an earlier row of the same handler's message or of the same ordering key."""
    earlier = outbox.alias("earlier")
    held = and_(
        own(earlier),
        earlier.c.seq < outbox.c.seq,
        earlier.c.claimed_until > now,
        earlier.c.claimed_by != worker,
        earlier.c.claimed_by != bindparam("schedule"),
    )
    same_origin = select(earlier.c.seq).where(earlier.c.origin == outbox.c.origin, held)
    # a row without a key equals none: NULL = NULL is not true in SQL
    same_lane = select(earlier.c.seq).where(
        earlier.c.key == outbox.c.key,
        earlier.c.queue == outbox.c.queue,
        earlier.c.transport == outbox.c.transport,
        held,
    )
    return [~same_origin.exists(), ~same_lane.exists()]
