"""The blueprint of an empty SQLite file: what all migrations come to there, as the statements that make it at once."""

from __future__ import annotations

from functools import cache

from sqlalchemy import create_engine

from worker.state.migrations import MIGRATIONS
from worker.state.sessions.migrator import apply

_BOUNDS = ("BEGIN TRANSACTION;", "COMMIT;")
_SOMEBODY = "the application of a blueprint"
_QUOTED = f"'{_SOMEBODY}'"


def blueprint(application: str, now: float) -> list[str]:
    """Give the statements for an application's database, as ``apply`` of all migrations would leave it.

    Migrations take a hundred times as long; tests and tools open many databases.
    """
    quoted = "'" + application.replace("'", "''") + "'"
    statements = [statement.replace(_QUOTED, quoted) for statement in _made()]
    return [*statements, f"UPDATE worker_schema_version SET applied_at = {now!r}"]


@cache
def _made() -> tuple[str, ...]:
    """Apply all migrations to a database in memory, and write down what it holds then; once a process."""
    engine = create_engine("sqlite://")
    try:
        with engine.begin() as connection:
            apply(connection, 0.0, MIGRATIONS, _SOMEBODY)
            raw = connection.connection.driver_connection
            assert raw is not None
            return tuple(one for one in raw.iterdump() if one not in _BOUNDS)
    finally:
        engine.dispose()
