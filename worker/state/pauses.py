"""Pauses in SQL: the rules, the version that tells workers to look again, and who changed what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from worker.messaging.pausing import Change, Origin, Pauses, Rule, Scope, Solo, outlived
from worker.state.database import Database
from worker.state.tables import audit, control, exclusive, pauses

CHANNEL = "worker_control"
"""Where PostgreSQL tells of new versions."""

Decide = Callable[[Pauses], Change]
"""Says what changes, given what there is; asked inside the transaction."""


class SqlPauses:
    """The desired state. Every method raises DatabaseUnavailable when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def version(self) -> int:
        """Return the version; cheap, to be asked often."""
        async with self._database.begin_read() as connection:
            return int((await connection.execute(select(control.c.version))).scalar_one())

    async def read(self) -> Pauses:
        """Return all rules as of one version."""
        async with self._database.begin_read() as connection:
            return await _read(connection)

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
            decide: gets the rules as they are, while nobody else changes them.
            action: ``pause`` or ``resume``, for the audit.
            actor: who.
            subject: what was named, for the audit.
            reason: why.
            until: when it ends by itself.

        Returns:
            The version that workers must apply; the present one where nothing changes.
        """
        now = self._database.clock()
        async with self._database.begin_write() as connection:
            # taken first: whoever changes anything waits here, and sees what the one before has done
            version = await bump(connection)
            before = await _read(connection)
            change = decide(before)
            if change.empty:
                await unbump(connection)
                return version - 1
            gone = {*change.gone, *outlived(before, now)}
            if gone:
                await connection.execute(delete(pauses).where(pauses.c.number.in_(gone)))
            for rule in change.made:
                await connection.execute(insert(pauses).values(row_of(rule)))
            await note(connection, now, version, action, actor, subject, reason, until)
            return version

    async def audited(self, limit: int = 100) -> list[dict[str, Any]]:
        """Return the latest changes, newest first."""
        statement = select(audit).order_by(audit.c.seq.desc()).limit(limit)
        async with self._database.begin_read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [{**row, "subject": msgspec.json.decode(row["subject"])} for row in rows]


async def note(
    connection: AsyncConnection,
    at: float,
    version: int,
    action: str,
    actor: str,
    subject: Sequence[str],
    reason: str | None,
    until: float | None,
) -> None:
    """Write a change down for the audit, in the transaction of ``connection``."""
    await connection.execute(
        insert(audit).values(
            at=at,
            actor=actor,
            action=action,
            subject=msgspec.json.encode(list(subject)).decode(),
            reason=reason,
            until=until,
            version=version,
        )
    )


async def bump(connection: AsyncConnection) -> int:
    """Raise the version in the transaction of ``connection``, which from here on keeps others from doing so."""
    statement = update(control).values(version=control.c.version + 1).returning(control.c.version)
    version = int((await connection.execute(statement)).scalar_one())
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_notify(CHANNEL, "")))  # told with the commit
    return version


async def unbump(connection: AsyncConnection) -> None:
    """Take back what ``bump`` did in this transaction, as nothing has changed."""
    await connection.execute(update(control).values(version=control.c.version - 1))


async def _read(connection: AsyncConnection) -> Pauses:
    version = (await connection.execute(select(control.c.version))).scalar_one()
    rows = (await connection.execute(select(pauses).order_by(pauses.c.number))).mappings()
    held = (await connection.execute(select(exclusive))).mappings().first()
    solo = None if held is None else Solo(worker=held["worker"], type=held["type"], until=held["until"])
    return Pauses(version=int(version), rules=tuple(_rule(row) for row in rows), solo=solo)


def _rule(row: Any) -> Rule:
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


def row_of(rule: Rule) -> dict[str, Any]:
    """Make the row of a rule; its number comes from the table."""
    return {
        "action": rule.action,
        "origin": rule.origin,
        "scope": rule.scope.by,
        "value": rule.scope.value,
        "actor": rule.actor,
        "reason": rule.reason,
        "since": rule.since,
        "until": rule.until,
        "owner": rule.owner,
    }
