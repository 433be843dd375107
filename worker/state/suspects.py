"""Messages that were in hand when a worker died, in SQL; concurrent calls of a process share a transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from worker.messaging.batcher import Batcher
from worker.messaging.suspicion import Fate, Holder, Record, Treatment, fate, handed, treatment_of
from worker.state.database import Database
from worker.state.pruning import prune
from worker.state.statement import Statement
from worker.state.transaction import Transaction

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Record).decode

Change = tuple[str, Callable[[Record | None, Callable[[Holder], Fate]], Record | None]]
"""A name, and what becomes of its record."""

_OF = Statement(
    "SELECT name, record FROM worker_suspects WHERE application = :application AND name = ANY (:names)"
)
_PUT = Statement("""
    INSERT INTO worker_suspects (application, name, at, record) VALUES (:application, :name, :at, :record)
    ON CONFLICT (application, name) DO UPDATE SET at = excluded.at, record = excluded.record
""")
_REMOVE = Statement("DELETE FROM worker_suspects WHERE application = :application AND name = ANY (:names)")
_SEEN = Statement(
    "SELECT id, seen_at FROM worker_workers WHERE application = :application AND id = ANY (:ids)"
)
_PRUNE = Statement("""
    DELETE FROM worker_suspects WHERE application = :application AND name IN (
        SELECT name FROM worker_suspects WHERE application = :application AND at < :before LIMIT :portion
    )
""")


class SqlSuspects:
    """See the port. Every method raises DatabaseUnavailable when the database does not answer.

    Args:
        database: the state.
        me: this worker.
        lives: whether a worker's process still runs, None where it cannot be looked at from here.
    """

    def __init__(self, database: Database, me: Holder, lives: Callable[[Holder], bool | None]) -> None:
        self._database = database
        self._me = me
        self._lives = lives
        self._changes: Batcher[Change, Record | None] = Batcher(self._change)

    async def handed(self, name: str) -> Record:
        """Note that this worker begins a message that was handed out before; what is known of it."""
        me, clock = self._me, self._database.clock

        def begun(known: Record | None, look: Callable[[Holder], Fate]) -> Record:
            """Add what follows from the last holder's end, and be the next."""
            found = handed(known, me, clock(), look)
            if treatment_of(found) is Treatment.GUILTY:
                return found
            return msgspec.structs.replace(found, holder=me)

        record = await self._changes.submit((name, begun))
        assert record is not None
        return record

    async def put(self, name: str, record: Record | None) -> None:
        """Know this of a message from now on; None: forget it. Not where another worker has it now."""
        me = self._me.name

        def known(before: Record | None, _look: Callable[[Holder], Fate]) -> Record | None:
            """Change it unless it is another's."""
            others = before is not None and before.holder is not None and before.holder.name != me
            return before if others else record

        await self._changes.submit((name, known))

    async def prune(self, older_than: float) -> int:
        """Forget messages that were not handed out for ``older_than`` seconds, and say how many that was."""
        return await prune(self._database, _PRUNE, before=self._database.clock() - older_than)

    async def _change(self, changes: Sequence[Change]) -> Sequence[Record | None]:
        names = sorted({name for name, _ in changes})
        async with self._database.begin_write() as transaction:
            rows = await transaction.rows(_OF, names=names)
            before: dict[str, Record | None] = {row["name"]: _decode(row["record"]) for row in rows}
            seen = await self._seen(transaction, before)
            now = self._database.clock()

            def look(holder: Holder) -> Fate:
                return fate(holder, seen.get(holder.name), now, self._lives)

            after = dict(before)
            answers = []
            for name, change in changes:
                after[name] = change(after.get(name), look)
                answers.append(after[name])
            gone = [name for name in names if name in before and after[name] is None]
            if gone:
                await transaction.run(_REMOVE, names=gone)
            # every process writes in the order of names, so that two never wait for each other's rows
            put = [(name, after[name]) for name in names if after[name] not in (None, before.get(name))]
            written = [{"name": name, "at": now, "record": _encode(record).decode()} for name, record in put]
            await transaction.run_each(_PUT, written)
        return answers

    async def _seen(self, transaction: Transaction, records: dict[str, Record | None]) -> dict[str, float]:
        """Last heartbeats of the workers that have some of the messages in hand."""
        ids = {record.holder.name for record in records.values() if record is not None and record.holder}
        ids.discard(self._me.name)
        if not ids:
            return {}
        return {row["id"]: row["seen_at"] for row in await transaction.rows(_SEEN, ids=sorted(ids))}
