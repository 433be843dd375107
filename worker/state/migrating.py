"""Which migrations a database lacks."""

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
