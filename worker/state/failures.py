"""The failure store in SQL: what failed, why, and which of it is on its way back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import and_, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from worker.messaging.failure import Attempt, Failure, Filter, Group, StoredFailure
from worker.state import failure_cursor
from worker.state.attempts import Attempts
from worker.state.database import Database
from worker.state.failure_filter import VISIBLE, conditions
from worker.state.failure_groups import group_rows
from worker.state.pruning import prune
from worker.state.tables import attempts, failure_groups, failures

_AT_ONCE = 500


class SqlFailures:
    """The failure store; see the port for what it promises.

    Every method raises DatabaseUnavailable when the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._attempts = Attempts(database)

    async def add(self, added: Sequence[Failure]) -> None:
        """Keep failures; one whose id is there already replaces its row and adds to its history.

        A failure under its row's ticket brings the row back. One under any other ticket is a twin's, whose
        message is done or was failed already: it is dropped. One without a ticket for a row that is being
        replayed is a repeated delivery's, and leaves the replay to decide.
        """
        async with self._database.begin_write() as connection:
            for failure in added:
                await self._add(connection, failure)

    async def note(self, message_id: str, noted: Sequence[Attempt]) -> None:
        """Keep the history of attempts that will be retried."""
        async with self._database.begin_write() as connection:
            await self._attempts.add(connection, message_id, noted)

    async def count(self, chosen: Filter) -> int:
        """Count the visible rows."""
        statement = select(func.count()).select_from(failures).where(*conditions(chosen))
        async with self._database.begin_read() as connection:
            return int((await connection.execute(statement)).scalar_one())

    async def ids(self, chosen: Filter) -> list[str]:
        """Ids of the visible rows, the oldest failure first."""
        statement = select(failures.c.id).order_by(failures.c.failed_at, failures.c.id)
        found: list[str] = []
        async with self._database.begin_read() as connection:
            for part in _chosen(chosen):
                found += (await connection.execute(statement.where(*conditions(part)))).scalars()
        return found

    async def page(
        self, chosen: Filter, limit: int, after: str | None = None
    ) -> tuple[list[StoredFailure], str | None]:
        """Return up to ``limit`` visible rows, newest first, and the cursor of the next page.

        What fails meanwhile does not shift later pages.

        Raises:
            InvalidMessage: ``after`` is no cursor of this store.
        """
        statement = select(failures).where(*conditions(chosen))
        if after is not None:
            statement = statement.where(failure_cursor.behind(after))
        statement = statement.order_by(failures.c.failed_at.desc(), failures.c.id.desc()).limit(limit + 1)
        async with self._database.begin_read() as connection:
            found = (await connection.execute(statement)).mappings().all()
            rows = await self._stored(connection, found[:limit])
        more = len(found) > limit and rows
        return rows, failure_cursor.write(rows[-1].failure) if more else None

    async def get(self, failure_id: str) -> StoredFailure | None:
        """Return one visible row, None when there is none."""
        async with self._database.begin_read() as connection:
            found = await connection.execute(select(failures).where(failures.c.id == failure_id, VISIBLE))
            rows = await self._stored(connection, found.mappings().all())
        return rows[0] if rows else None

    async def groups(self) -> list[Group]:
        """Count by group, largest first."""
        table = failure_groups.join(failures, failures.c.id == failure_groups.c.failure_id)
        key = (failure_groups.c.group, failures.c.type, failure_groups.c.handler, failure_groups.c.error_type)
        count = func.count().label("count")
        first, last = func.min(failures.c.failed_at), func.max(failures.c.failed_at)
        statement = (
            select(*key, count, first.label("first_at"), last.label("last_at"))
            .select_from(table)
            .where(VISIBLE)
        )
        statement = statement.group_by(*key).order_by(count.desc(), failure_groups.c.group)
        async with self._database.begin_read() as connection:
            return [Group(**row) for row in (await connection.execute(statement)).mappings()]

    async def ticket(self, ids: Sequence[str]) -> dict[str, str]:
        """Give each visible row a replay ticket, the one it has already if any; ids that are gone are left out."""
        tickets: dict[str, str] = {}
        async with self._database.begin_write() as connection:
            for part in _parts(ids):
                chosen = and_(failures.c.id.in_(part), VISIBLE)
                without = await connection.execute(
                    select(failures.c.id).where(chosen, failures.c.ticket.is_(None)).with_for_update()
                )
                for failure_id in without.scalars().all():
                    await connection.execute(
                        update(failures).where(failures.c.id == failure_id).values(ticket=uuid.uuid4().hex)
                    )
                given = await connection.execute(select(failures.c.id, failures.c.ticket).where(chosen))
                tickets.update((row.id, row.ticket) for row in given)
        return {failure_id: tickets[failure_id] for failure_id in ids if failure_id in tickets}

    async def hide(self, tickets: Mapping[str, str]) -> None:
        """Take rows out of sight whose replay under this ticket the broker has confirmed.

        A row that has failed again meanwhile has lost the ticket and stays.
        """
        now = self._database.clock()
        async with self._database.begin_write() as connection:
            for failure_id, ticket in sorted(tickets.items()):
                mine = and_(failures.c.id == failure_id, failures.c.ticket == ticket)
                await connection.execute(update(failures).where(mine).values(hidden_at=now))

    async def stale(self, failure_id: str, ticket: str) -> bool:
        """Tell whether a message that carries ``ticket`` is a twin: its row is gone or has another ticket."""
        mine = select(failures.c.id).where(failures.c.id == failure_id, failures.c.ticket == ticket)
        async with self._database.begin_read() as connection:
            return (await connection.execute(mine)).first() is None

    async def resolve(self, failure_id: str, ticket: str) -> None:
        """Remove the row: the replayed message is done."""
        async with self._database.begin_write() as connection:
            mine = and_(failures.c.id == failure_id, failures.c.ticket == ticket)
            if (await connection.execute(delete(failures).where(mine))).rowcount:
                await self._forget(connection, [failure_id])

    async def replace_body(self, failure_id: str, body: bytes) -> None:
        """Put an edited envelope in the row's place; a replay that may be under way with the old one is stale now."""
        async with self._database.begin_write() as connection:
            mine = and_(failures.c.id == failure_id, VISIBLE)
            await connection.execute(
                update(failures).where(mine).values(body=body, decoded=True, ticket=None)
            )

    async def remove(self, ids: Sequence[str]) -> int:
        """Remove visible rows and say how many there were."""
        removed = 0
        async with self._database.begin_write() as connection:
            for part in _parts(ids):
                chosen = and_(failures.c.id.in_(part), VISIBLE)
                found = (
                    (await connection.execute(select(failures.c.id).where(chosen).with_for_update()))
                    .scalars()
                    .all()
                )
                await connection.execute(delete(failures).where(failures.c.id.in_(found)))
                await self._forget(connection, found)
                removed += len(found)
        return removed

    async def resurface(self, older_than: float) -> int:
        """Show rows again whose replay was confirmed that many seconds ago and never ended, and say how many.

        Their ticket stays: the replayed message, should it come after all, still resolves its row.
        """
        lost = failures.c.hidden_at < self._database.clock() - older_than
        async with self._database.begin_write() as connection:
            return int(
                (await connection.execute(update(failures).where(lost).values(hidden_at=None))).rowcount
            )

    async def prune(self, older_than: float) -> int:
        """Forget attempts that are older than that many seconds and whose message is not in the store."""
        old = attempts.c.at < self._database.clock() - older_than
        kept = exists().where(failures.c.id == attempts.c.message_id)
        return await prune(
            self._database, attempts, (attempts.c.seq,), select(attempts.c.seq).where(old, ~kept)
        )

    async def _add(self, connection: AsyncConnection, failure: Failure) -> None:
        known = (
            select(failures.c.ticket, failures.c.hidden_at)
            .where(failures.c.id == failure.id)
            .with_for_update()
        )
        row = (await connection.execute(known)).first()
        if failure.ticket is not None and (row is None or row.ticket != failure.ticket):
            return
        values = {name: getattr(failure, name) for name in _COLUMNS}
        repeated = row if failure.ticket is None else None
        values["ticket"] = repeated.ticket if repeated is not None else None
        # what could not be decoded may be the replay itself, its ticket unread: it must not stay out of sight
        values["hidden_at"] = repeated.hidden_at if repeated is not None and failure.decoded else None
        statement = self._database.insert(failures).values(values)
        changed = {name: statement.excluded[name] for name in values if name != "id"}
        await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed))
        await self._attempts.add(connection, failure.id, failure.history)
        await connection.execute(delete(failure_groups).where(failure_groups.c.failure_id == failure.id))
        await connection.execute(failure_groups.insert(), group_rows(failure))

    async def _forget(self, connection: AsyncConnection, ids: Sequence[str]) -> None:
        await connection.execute(delete(failure_groups).where(failure_groups.c.failure_id.in_(ids)))
        await connection.execute(delete(attempts).where(attempts.c.message_id.in_(ids)))

    async def _stored(self, connection: AsyncConnection, found: Sequence[Any]) -> list[StoredFailure]:
        ids = [row["id"] for row in found]
        histories = await self._attempts.of(connection, ids)
        groups: dict[str, list[str]] = {failure_id: [] for failure_id in ids}
        statement = select(failure_groups.c.failure_id, failure_groups.c.group)
        statement = statement.where(failure_groups.c.failure_id.in_(ids)).order_by(failure_groups.c.group)
        for row in await connection.execute(statement):
            groups[row.failure_id].append(row.group)
        return [
            StoredFailure(
                failure=Failure(
                    **{name: row[name] for name in _COLUMNS if name != "body"},
                    body=bytes(row["body"]),
                    history=tuple(histories.get(row["id"], ())),
                ),
                groups=tuple(groups[row["id"]]),
                ticket=row["ticket"],
            )
            for row in found
        ]


_COLUMNS = ("id", "type", "transport", "queue", "failed_at", "attempts", "decoded", "body", "key", "priority")


def _chosen(chosen: Filter) -> list[Filter]:
    """Split a filter by ids, of which a statement takes only so many."""
    if chosen.ids is None:
        return [chosen]
    return [msgspec.structs.replace(chosen, ids=tuple(part)) for part in _parts(chosen.ids)]


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    distinct = list(dict.fromkeys(ids))
    return [distinct[start : start + _AT_ONCE] for start in range(0, len(distinct), _AT_ONCE)]
