"""Which migrations a database lacks, and what its role lacks to apply them."""

from __future__ import annotations

from collections.abc import Sequence

from worker.errors import ConfigurationError
from worker.state.migrations import MIGRATIONS, Migration
from worker.state.statement import Statement
from worker.state.transaction import Transaction

_THERE = Statement(
    "SELECT 1 WHERE to_regclass('worker_schema_version') IS NOT NULL",
    sqlite="SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'worker_schema_version'",
)
_APPLIED = Statement("SELECT version, name FROM worker_schema_version")


async def pending(transaction: Transaction, known: Sequence[Migration] = MIGRATIONS) -> list[Migration]:
    """Return the migrations that are not applied yet, in order.

    Raises:
        ConfigurationError: some were applied that this program does not know.
    """
    if await transaction.first(_THERE) is None:
        return list(known)
    applied = {row["version"]: row["name"] for row in await transaction.rows(_APPLIED)}
    newer = sorted(set(applied) - {migration.version for migration in known})
    if newer:
        raise ConfigurationError(
            f"the database's tables are newer than this program: it knows migrations up to {known[-1].name}, "
            f"the database has {applied[newer[-1]]}; install the newer program or use another database"
        )
    return [migration for migration in known if migration.version not in applied]


async def denied(transaction: Transaction, error: Exception, missing: Sequence[str]) -> str:
    """Say that PostgreSQL's role may not apply what is missing, and how to give it the right to."""
    (found,) = await transaction.rows("SELECT current_user AS role, current_schema() AS place")
    role, place = f'"{found["role"]}"', f'"{found["place"]}"'
    reason = (str(getattr(error, "orig", None) or error).splitlines() or [""])[0].rpartition(">: ")[2]
    return (
        f"role {role} may not change its tables ({reason}); missing: {', '.join(missing)}; "
        f"grant it that: GRANT USAGE, CREATE ON SCHEMA {place} TO {role}; "
        "or run: worker setup, as the role that owns the tables, and then: "
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {place} TO {role}; "
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {place} TO {role}"
    )
