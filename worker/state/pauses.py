"""Pauses in SQL: the rules, the version that tells workers to look again, and who changed what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from worker.messaging.pausing import Change, Origin, Pauses, Rule, Scope, outlived
from worker.state.control import CHANNEL, bump, unbump, version_in
from worker.state.database import Database
from worker.state.exclusive import running
from worker.state.statement import Statement
from worker.state.transaction import Row, Transaction

Decide = Callable[[Pauses], Change]
"""Says what changes, given what there is; asked inside the transaction."""

_RULES = Statement("""
    SELECT number, action, origin, scope, value, actor, reason, since, until, owner
    FROM worker_pauses WHERE application = :application ORDER BY number
""")
_ADD = Statement("""
    INSERT INTO worker_pauses (application, action, origin, scope, value, actor, reason, since, until, owner)
    VALUES (:application, :action, :origin, :scope, :value, :actor, :reason, :since, :until, :owner)
""")
_REMOVE = Statement("DELETE FROM worker_pauses WHERE number = ANY (:numbers)")
_NOTE = Statement("""
    INSERT INTO worker_audit (application, at, actor, action, subject, reason, until, version)
    VALUES (:application, :at, :actor, :action, :subject, :reason, :until, :version)
""")
_AUDITED = Statement("""
    SELECT seq, application, at, actor, action, subject, reason, until, version
    FROM worker_audit WHERE application = :application ORDER BY seq DESC LIMIT :limit
""")


class SqlPauses:
    """The desired state. Every method raises DatabaseUnavailable when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def version(self) -> int:
        """Return the version; cheap, to be asked often."""
        async with self._database.begin_read() as transaction:
            return await version_in(transaction)

    async def read(self) -> Pauses:
        """Return all rules as of one version."""
        async with self._database.begin_read() as transaction:
            return await _read(transaction)

    async def listen(self, changed: Callable[[], None]) -> None:
        """Call ``changed`` as soon as the version does, where the database tells; until cancelled, or at once over."""
        await self._database.listen(CHANNEL, changed)

    async def change(
        self,
        decide: Decide,
        *,
        action: str,
        actor: str,
        subject: Sequence[str],
        reason: str | None = None,
        until: float | None = None,
    ) -> int:
        """Apply what ``decide`` says, all or nothing, and write it down for the audit.

        Args:
            decide: gets the rules as they are, while no other process can change them.
            action: ``pause`` or ``resume``, for the audit.
            actor: who.
            subject: what was named, for the audit.
            reason: why.
            until: when it ends by itself, on the database's ``time``, as in the rules.

        Returns:
            The version that workers must apply; the present one where nothing changes.
        """
        now = await self._database.now()
        async with self._database.begin_write() as transaction:
            # taken first: each change waits here for the one before, and sees what that has done
            version = await bump(transaction)
            before = await _read(transaction)
            change = decide(before)
            if change.empty:
                await unbump(transaction)
                return version - 1
            gone = {*change.gone, *outlived(before, now)}
            if gone:
                await transaction.run(_REMOVE, numbers=list(gone))
            for rule in change.made:
                await hold(transaction, rule)
            shown = None if until is None else self._database.time.shown(until)
            await note(transaction, self._database.clock(), version, action, actor, subject, reason, shown)
            return version

    async def audited(self, limit: int = 100) -> list[dict[str, Any]]:
        """Return the latest changes, newest first."""
        async with self._database.begin_read() as transaction:
            rows = await transaction.rows(_AUDITED, limit=limit)
        return [{**row, "subject": msgspec.json.decode(row["subject"])} for row in rows]


async def note(
    transaction: Transaction,
    at: float,
    version: int,
    action: str,
    actor: str,
    subject: Sequence[str],
    reason: str | None,
    until: float | None,
) -> None:
    """Write a change down for the audit, in the transaction of ``transaction``."""
    await transaction.run(
        _NOTE,
        at=at,
        actor=actor,
        action=action,
        subject=msgspec.json.encode(list(subject)).decode(),
        reason=reason,
        until=until,
        version=version,
    )


async def _read(transaction: Transaction) -> Pauses:
    version = await version_in(transaction)
    rows = await transaction.rows(_RULES)
    return Pauses(
        version=version, rules=tuple(_rule(row) for row in rows), exclusive=await running(transaction)
    )


def _rule(row: Row) -> Rule:
    origin: Origin = row["origin"]
    return Rule(
        number=row["number"],
        action=row["action"],
        scope=Scope(row["scope"], row["value"]),
        actor=row["actor"],
        since=row["since"],
        origin=origin,
        reason=row["reason"],
        until=row["until"],
        owner=row["owner"],
    )


async def hold(transaction: Transaction, rule: Rule) -> None:
    """Write a rule down; its number comes from the table."""
    await transaction.run(
        _ADD,
        action=rule.action,
        origin=rule.origin,
        scope=rule.scope.by,
        value=rule.scope.value,
        actor=rule.actor,
        reason=rule.reason,
        since=rule.since,
        until=rule.until,
        owner=rule.owner,
    )
