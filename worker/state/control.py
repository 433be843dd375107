"""The control version: a count of all changes of pauses and of the exclusive lock, which workers apply one after another."""

from __future__ import annotations

from worker.state.statement import Statement
from worker.state.transaction import Transaction

CHANNEL = "worker_control"
"""Where PostgreSQL tells of new versions."""

_VERSION = Statement("SELECT coalesce(max(version), 0) FROM worker_control WHERE application = :application")
_BUMP = Statement("""
    INSERT INTO worker_control (application, version) VALUES (:application, 1)
    ON CONFLICT (application) DO UPDATE SET version = worker_control.version + 1 RETURNING version
""")
_UNBUMP = Statement("UPDATE worker_control SET version = version - 1 WHERE application = :application")


async def version_in(transaction: Transaction) -> int:
    """Return the version as the transaction sees it; 0 before the first change."""
    return int(await transaction.value(_VERSION))


async def bump(transaction: Transaction) -> int:
    """Raise the version; from here to the transaction's end no other process can."""
    version = int(await transaction.value(_BUMP))
    if transaction.dialect == "postgresql":
        await transaction.run(f"NOTIFY {CHANNEL}")  # told with the commit
    return version


async def unbump(transaction: Transaction) -> None:
    """Take back what ``bump`` did in this transaction, as nothing has changed."""
    await transaction.run(_UNBUMP)
