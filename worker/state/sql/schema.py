"""Made from ``worker.state.statements.schema`` by ``python -m worker.state.statements``: change it there."""

from __future__ import annotations

from worker.state.statement import Sql, Statement

APPLIED = Statement(
    Sql('SELECT worker_schema_version.version, worker_schema_version.name FROM worker_schema_version', ()),
    Sql('SELECT worker_schema_version.version, worker_schema_version.name FROM worker_schema_version', ()),
)
