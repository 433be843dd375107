"""Statements of the pauses, their version and their audit."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, func, literal_column, select, update

from worker.state.statements.among import Among
from worker.state.statements.common import ONE, Insert, Statements, added, limited, own
from worker.state.tables import audit, control, pauses


def statements(insert: Insert) -> Statements:
    """Name them."""
    version = control.c.version
    first = insert(control).values(application=bindparam("application"), version=ONE)
    return {
        "VERSION": select(func.coalesce(func.max(version), literal_column("0"))).where(own(control)),
        "BUMP": first.on_conflict_do_update(
            index_elements=["application"], set_={"version": version + ONE}
        ).returning(version),
        "UNBUMP": update(control).where(own(control)).values(version=version - ONE),
        "RULES": select(pauses).where(own(pauses)).order_by(pauses.c.number),
        "ADD": added(insert, pauses, "number"),
        "REMOVE": delete(pauses).where(Among(pauses.c.number, "numbers")),
        "NOTE": added(insert, audit, "seq"),
        "AUDITED": limited(select(audit).where(own(audit)).order_by(audit.c.seq.desc()), bindparam("limit")),
    }
