"""Statements that tell which migrations were applied."""

from __future__ import annotations

from sqlalchemy import select

from worker.state.statements.common import Insert, Statements
from worker.state.tables import schema_version


def statements(insert: Insert) -> Statements:
    """Name them."""
    return {"APPLIED": select(schema_version.c.version, schema_version.c.name)}
