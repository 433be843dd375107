"""A filter of failed messages as SQL conditions."""

from __future__ import annotations

from sqlalchemy import exists
from sqlalchemy.sql import ColumnElement

from worker.messaging.failure import Filter
from worker.state.tables import failure_groups, failures

VISIBLE = failures.c.hidden_at.is_(None)
"""A row whose replay is confirmed is out of sight until that has ended."""


def conditions(chosen: Filter) -> list[ColumnElement[bool]]:
    """Make the conditions; all must hold."""
    found: list[ColumnElement[bool]] = [VISIBLE]
    if chosen.ids is not None:
        found.append(failures.c.id.in_(chosen.ids))
    for name in ("type", "transport", "queue"):
        value = getattr(chosen, name)
        if value is not None:
            found.append(failures.c[name] == value)
    if chosen.since is not None:
        found.append(failures.c.failed_at >= chosen.since)
    if chosen.until is not None:
        found.append(failures.c.failed_at < chosen.until)
    mine = failure_groups.c.failure_id == failures.c.id
    if chosen.error is not None:
        found.append(exists().where(mine, failure_groups.c.error_type == chosen.error))
    if chosen.group is not None:
        found.append(exists().where(mine, failure_groups.c.group == chosen.group))
    return found
