"""Statements of the failure store. A row whose replay is confirmed is hidden until that has ended."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, exists, func, null, or_, select, true, update
from sqlalchemy.sql import ColumnElement

from worker.state.statements.among import Among
from worker.state.statements.common import Insert, Statements, added, limited, own, replaced
from worker.state.tables import failure_groups, failures

_VISIBLE = failures.c.hidden_at.is_(None)


def statements(insert: Insert) -> Statements:
    """Name them; ``_OF`` stands for those of given ids."""
    listed = and_(own(failures), Among(failures.c.id, "ids"))
    one = and_(own(failures), failures.c.id == bindparam("failure_id"))
    ticketed = and_(one, failures.c.ticket == bindparam("its_ticket"))
    count = select(func.count()).select_from(failures).where(*_conditions())
    ids = select(failures.c.id).where(*_conditions()).order_by(failures.c.failed_at, failures.c.id)
    newest = failures.c.failed_at.desc(), failures.c.id.desc()
    page = limited(select(failures).where(*_conditions(), _behind()).order_by(*newest), bindparam("limit"))
    return {
        "KNOWN": select(failures.c.ticket, failures.c.hidden_at).where(one).with_for_update(),
        "PUT": replaced(insert, failures),
        "COUNT": count,
        "COUNT_OF": count.where(listed),
        "IDS": ids,
        "IDS_OF": ids.where(listed),
        "PAGE": page,
        "PAGE_OF": page.where(listed),
        "GET": select(failures).where(one, _VISIBLE),
        "WITHOUT_TICKET": select(failures.c.id)
        .where(listed, _VISIBLE, failures.c.ticket.is_(None))
        .with_for_update(),
        "GIVE_TICKET": update(failures).where(one).values(ticket=bindparam("ticket")),
        "TICKETS": select(failures.c.id, failures.c.ticket).where(listed, _VISIBLE),
        "HIDE": update(failures).where(ticketed).values(hidden_at=bindparam("hidden_at")),
        "WITH_TICKET": select(failures.c.id).where(ticketed),
        "RESOLVE": delete(failures).where(ticketed),
        "REPLACE_BODY": update(failures)
        .where(one, _VISIBLE)
        .values(body=bindparam("body"), decoded=true(), ticket=null()),
        "VISIBLE": select(failures.c.id).where(listed, _VISIBLE).with_for_update(),
        "REMOVE": delete(failures).where(listed),
        "RESURFACE": update(failures)
        .where(own(failures), failures.c.hidden_at < bindparam("before"))
        .values(hidden_at=null()),
        "GROUPS": _groups(),
        "GROUPS_OF": select(failure_groups.c.failure_id, failure_groups.c.group)
        .where(own(failure_groups), Among(failure_groups.c.failure_id, "ids"))
        .order_by(failure_groups.c.group),
        "ADD_GROUP": added(insert, failure_groups),
        "FORGET_GROUPS": delete(failure_groups).where(
            own(failure_groups), Among(failure_groups.c.failure_id, "ids")
        ),
    }


def _conditions() -> list[ColumnElement[bool]]:
    """What a filter may ask for; what it leaves open is NULL."""
    mine = and_(own(failure_groups), failure_groups.c.failure_id == failures.c.id)
    error, group = (
        exists().where(mine, column == bindparam(name))
        for name, column in (("error", failure_groups.c.error_type), ("group_key", failure_groups.c.group))
    )
    return [
        own(failures),
        _VISIBLE,
        *(_open_or(name, failures.c[name] == bindparam(name)) for name in ("type", "transport", "queue")),
        _open_or("since", failures.c.failed_at >= bindparam("since"), failures.c.failed_at),
        _open_or("until", failures.c.failed_at < bindparam("until"), failures.c.failed_at),
        _open_or("error", error),
        _open_or("group_key", group),
    ]


def _open_or(
    name: str, condition: ColumnElement[bool], like: ColumnElement[Any] = failures.c.type
) -> ColumnElement[bool]:
    return or_(bindparam(name, type_=like.type).is_(None), condition)


def _behind() -> ColumnElement[bool]:
    """What comes after the last row of a page, newest first."""
    at = failures.c.failed_at
    after: Any = bindparam("after_at")
    tied = and_(at == after, failures.c.id < bindparam("after_id"))
    return _open_or("after_at", or_(at < after, tied), at)


def _groups() -> Select[Any]:
    key = (failure_groups.c.group, failures.c.type, failure_groups.c.handler, failure_groups.c.error_type)
    count = func.count().label("count")
    first = func.min(failures.c.failed_at).label("first_at")
    last = func.max(failures.c.failed_at).label("last_at")
    return (
        select(*key, count, first, last)
        .select_from(failure_groups.join(failures, failures.c.id == failure_groups.c.failure_id))
        .where(own(failure_groups), own(failures), _VISIBLE)
        .group_by(*key)
        .order_by(count.desc(), failure_groups.c.group)
    )
