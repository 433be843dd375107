"""Statements of the pauses, their version and their audit."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, update

from worker.state.statements.among import Among
from worker.state.statements.common import ONE, Insert, Statements, added, limited
from worker.state.tables import audit, control, pauses


def statements(insert: Insert) -> Statements:
    """Name them."""
    version = control.c.version
    return {
        "VERSION": select(version),
        "BUMP": update(control).values(version=version + ONE).returning(version),
        "UNBUMP": update(control).values(version=version - ONE),
        "RULES": select(pauses).order_by(pauses.c.number),
        "ADD": added(insert, pauses, "number"),
        "REMOVE": delete(pauses).where(Among(pauses.c.number, "numbers")),
        "NOTE": added(insert, audit, "seq"),
        "AUDITED": limited(select(audit).order_by(audit.c.seq.desc()), bindparam("limit")),
    }
