"""The failure store in SQL: what failed, why, and which of it is on its way back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from worker.messaging.failure import Attempt, Failure, Filter, Group, StoredFailure
from worker.state import failure_body, failure_cursor
from worker.state import failure_statements as sql
from worker.state.attempts import Attempts
from worker.state.database import Database
from worker.state.failure_filter import among, parameters
from worker.state.failure_groups import group_rows
from worker.state.transaction import Row, Transaction


class SqlFailures:
    """The failure store; see the port for what it promises.

    Every method raises DatabaseUnavailable when the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._attempts = Attempts()

    async def add(self, added: Sequence[Failure]) -> None:
        """Keep failures; one whose id is there already replaces its row and adds to its history.

        A failure under its row's ticket brings the row back. One under any other ticket is a twin's, whose
        message is done or was failed already: it is dropped. One without a ticket for a row that is being
        replayed is a repeated delivery's, and leaves the replay to decide.
        """
        async with self._database.begin_write() as transaction:
            for failure in added:
                await self._add(transaction, failure)

    async def note(self, message_id: str, noted: Sequence[Attempt]) -> None:
        """Keep the history of attempts that will be retried."""
        async with self._database.begin_write() as transaction:
            await self._attempts.add(transaction, message_id, noted)

    async def count(self, chosen: Filter) -> int:
        """Count the visible rows."""
        statement = among(chosen, sql.COUNT, sql.COUNT_OF)
        async with self._database.begin_read() as transaction:
            return int(await transaction.value(statement, **parameters(chosen)))

    async def ids(self, chosen: Filter) -> list[str]:
        """Ids of the visible rows, the oldest failure first."""
        statement = among(chosen, sql.IDS, sql.IDS_OF)
        async with self._database.begin_read() as transaction:
            return [row["id"] for row in await transaction.rows(statement, **parameters(chosen))]

    async def page(
        self, chosen: Filter, limit: int, after: str | None = None
    ) -> tuple[list[StoredFailure], str | None]:
        """Return up to ``limit`` visible rows, newest first, and the cursor of the next page.

        What fails meanwhile does not shift later pages.

        Raises:
            InvalidMessage: ``after`` is no cursor of this store.
        """
        statement = among(chosen, sql.PAGE, sql.PAGE_OF)
        at, failure_id = (None, None) if after is None else failure_cursor.read(after)
        given = parameters(chosen) | {"after_at": at, "after_id": failure_id, "limit": limit + 1}
        async with self._database.begin_read() as transaction:
            found = await transaction.rows(statement, **given)
            rows = await self._stored(transaction, found[:limit])
        more = len(found) > limit and rows
        return rows, failure_cursor.write(rows[-1].failure) if more else None

    async def get(self, failure_id: str) -> StoredFailure | None:
        """Return one visible row, None when there is none."""
        async with self._database.begin_read() as transaction:
            rows = await self._stored(transaction, await transaction.rows(sql.GET, failure_id=failure_id))
        return rows[0] if rows else None

    async def groups(self) -> list[Group]:
        """Count by group, largest first."""
        async with self._database.begin_read() as transaction:
            return [Group(**row) for row in await transaction.rows(sql.GROUPS)]

    async def ticket(self, ids: Sequence[str]) -> dict[str, str]:
        """Give each visible row a replay ticket, the one it has already if any; ids that are gone are left out."""
        async with self._database.begin_write() as transaction:
            for row in await transaction.rows(sql.WITHOUT_TICKET, ids=list(ids)):
                await transaction.run(sql.GIVE_TICKET, failure_id=row["id"], ticket=uuid.uuid4().hex)
            given = await transaction.rows(sql.TICKETS, ids=list(ids))
        tickets = {row["id"]: row["ticket"] for row in given}
        return {failure_id: tickets[failure_id] for failure_id in ids if failure_id in tickets}

    async def hide(self, tickets: Mapping[str, str]) -> None:
        """Take rows out of sight whose replay under this ticket the broker has confirmed.

        A row that has failed again meanwhile has lost the ticket and stays.
        """
        now = self._database.clock()
        async with self._database.begin_write() as transaction:
            for failure_id, ticket in sorted(tickets.items()):
                await transaction.run(sql.HIDE, failure_id=failure_id, its_ticket=ticket, hidden_at=now)

    async def stale(self, failure_id: str, ticket: str) -> bool:
        """Tell whether a message that carries ``ticket`` is a twin: its row is gone or has another ticket."""
        async with self._database.begin_read() as transaction:
            found = await transaction.first(sql.WITH_TICKET, failure_id=failure_id, its_ticket=ticket)
        return found is None

    async def resolve(self, failure_id: str, ticket: str) -> None:
        """Remove the row: the replayed message is done."""
        async with self._database.begin_write() as transaction:
            if await transaction.run(sql.RESOLVE, failure_id=failure_id, its_ticket=ticket):
                await self._forget(transaction, [failure_id])

    async def replace_body(self, failure_id: str, body: bytes) -> None:
        """Put an edited envelope in the row's place; a replay that may be under way with the old one is stale now."""
        async with self._database.begin_write() as transaction:
            kept = failure_body.write(body, {})
            await transaction.run(sql.REPLACE_BODY, failure_id=failure_id, body=kept)

    async def remove(self, ids: Sequence[str]) -> int:
        """Remove visible rows and say how many there were."""
        async with self._database.begin_write() as transaction:
            found = [row["id"] for row in await transaction.rows(sql.VISIBLE, ids=list(ids))]
            await transaction.run(sql.REMOVE, ids=found)
            await self._forget(transaction, found)
        return len(found)

    async def resurface(self, older_than: float) -> int:
        """Show rows again whose replay was confirmed that many seconds ago and never ended, and say how many.

        Their ticket stays: the replayed message, should it come after all, still resolves its row.
        """
        before = self._database.clock() - older_than
        async with self._database.begin_write() as transaction:
            return await transaction.run(sql.RESURFACE, before=before)

    async def prune(self, older_than: float) -> int:
        """Forget attempts that are older than that many seconds and whose message is not in the store."""
        before = self._database.clock() - older_than
        return await self._attempts.prune(self._database, before)

    async def _add(self, transaction: Transaction, failure: Failure) -> None:
        row = await transaction.first(sql.KNOWN, failure_id=failure.id)
        if failure.ticket is not None and (row is None or row["ticket"] != failure.ticket):
            return
        values = {name: getattr(failure, name) for name in _COLUMNS}
        values["body"] = failure_body.write(failure.body, failure.headers)
        repeated = row if failure.ticket is None else None
        values["ticket"] = repeated["ticket"] if repeated is not None else None
        # what could not be decoded may be the replay itself, its ticket unread: it must not stay out of sight
        values["hidden_at"] = repeated["hidden_at"] if repeated is not None and failure.decoded else None
        await transaction.run(sql.PUT, **values)
        await self._attempts.add(transaction, failure.id, failure.history)
        await transaction.run(sql.FORGET_GROUPS, ids=[failure.id])
        await transaction.run_each(sql.ADD_GROUP, group_rows(failure))

    async def _forget(self, transaction: Transaction, ids: Sequence[str]) -> None:
        await transaction.run(sql.FORGET_GROUPS, ids=list(ids))
        await self._attempts.forget(transaction, ids)

    async def _stored(self, transaction: Transaction, found: Sequence[Row]) -> list[StoredFailure]:
        ids = [row["id"] for row in found]
        histories = await self._attempts.of(transaction, ids)
        groups: dict[str, list[str]] = {failure_id: [] for failure_id in ids}
        for row in await transaction.rows(sql.GROUPS_OF, ids=ids):
            groups[row["failure_id"]].append(row["group"])
        return [
            StoredFailure(
                failure=_failure(row, tuple(histories.get(row["id"], ()))),
                groups=tuple(groups[row["id"]]),
                ticket=row["ticket"],
            )
            for row in found
        ]


def _failure(row: Row, history: tuple[Attempt, ...]) -> Failure:
    body, headers = failure_body.read(row["body"])
    same = {name: row[name] for name in _COLUMNS if name not in {"decoded", "body"}}
    return Failure(**same, decoded=bool(row["decoded"]), body=body, headers=headers, history=history)


_COLUMNS = ("id", "type", "transport", "queue", "failed_at", "attempts", "decoded", "body", "key", "priority")
