"""Tokens in SQL: their documents, the hashes of their secrets, and that they have been in use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from worker.errors import Guarded, NotFound
from worker.state.database import Database
from worker.state.statement import Statement
from worker.state.transaction import Row, Transaction
from worker.tokens.document import KnownToken, TokenDocument, may_be_id, stored
from worker.tokens.store import Allows, Held, Stored

log = structlog.stdlib.get_logger("worker.tokens")

Beside = Callable[[Transaction], Awaitable[None]]
"""What is written in the transaction of a change."""

_COLUMNS = "id, secret_hash, document, created_at, updated_at, used_at"
_IN_USE = Statement("SELECT 1 FROM worker_tokens_in_use WHERE application = :application")
_USE = Statement("""
    INSERT INTO worker_tokens_in_use (application, since) VALUES (:application, :now)
    ON CONFLICT (application) DO NOTHING
""")
_FIND = Statement(f"""
    SELECT {_COLUMNS} FROM worker_tokens
    WHERE application = :application AND secret_hash = ANY (:hashes)
""")
_GET = Statement(
    f"SELECT {_COLUMNS} FROM worker_tokens WHERE application = :application AND id = :id FOR UPDATE"
)
_LOOK = Statement(f"SELECT {_COLUMNS} FROM worker_tokens WHERE application = :application AND id = :id")
_ALL = Statement(f"SELECT {_COLUMNS} FROM worker_tokens WHERE application = :application ORDER BY id")
_TAKEN = Statement("""
    SELECT id FROM worker_tokens
    WHERE application = :application AND secret_hash = :secret_hash AND id <> :id
""")
_PUT = Statement("""
    INSERT INTO worker_tokens (application, id, secret_hash, document, created_at, updated_at)
    VALUES (:application, :id, :secret_hash, :document, :now, :now)
    ON CONFLICT (application, id) DO UPDATE SET
        secret_hash = excluded.secret_hash, document = excluded.document, updated_at = excluded.updated_at
""")
_REMOVE = Statement("DELETE FROM worker_tokens WHERE application = :application AND id = ANY (:ids)")
_FORGET = Statement("DELETE FROM worker_token_counts WHERE application = :application AND token = ANY (:ids)")
_USED = Statement("""
    UPDATE worker_tokens SET used_at = :at
    WHERE application = :application AND id = :id AND (used_at IS NULL OR used_at < :at)
""")


class SqlTokens:
    """Keeps an application's tokens. Every method raises DatabaseUnavailable when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def in_use(self) -> bool:
        """Whether there is a token, or has ever been one."""
        async with self._database.begin_read() as transaction:
            return await transaction.first(_IN_USE) is not None

    async def mark_in_use(self) -> None:
        """Note for good that tokens are in use; storing one does so, too."""
        async with self._database.begin_write() as transaction:
            await transaction.run(_USE, now=self._database.clock())

    async def find(self, hashes: Sequence[str]) -> Sequence[Held]:
        """Return those of these secrets; one that cannot be read is as none, and named in the log."""
        async with self._database.begin_read() as transaction:
            rows = await transaction.rows(_FIND, hashes=list(hashes))
        return [Held(token, row["secret_hash"]) for row in rows if (token := _token(row)) is not None]

    async def get(self, id: str) -> KnownToken | None:
        """Return one by its id."""
        async with self._database.begin_read() as transaction:
            row = await transaction.first(_LOOK, id=id) if may_be_id(id) else None
        return None if row is None else _token(row)

    async def all(self) -> Sequence[KnownToken]:
        """Return all, by their ids."""
        async with self._database.begin_read() as transaction:
            rows = await transaction.rows(_ALL)
        return [token for row in rows if (token := _token(row)) is not None]

    async def used(self, times: Mapping[str, float]) -> None:
        """Note when tokens were last shown."""
        async with self._database.begin_write() as transaction:
            await transaction.run_each(_USED, [{"id": id, "at": at} for id, at in sorted(times.items())])

    async def put(
        self,
        token: TokenDocument,
        secret_hash: str,
        *,
        renew: bool,
        allows: Allows | None = None,
        beside: Beside | None = None,
    ) -> Stored:
        """Store a token, in place of the one with its id.

        Args:
            token: checked.
            secret_hash: of its secret.
            renew: whether one that exists gets this secret, too; else it keeps its own.
            allows: is asked about the token that is replaced.
            beside: writes what belongs to the change.

        Raises:
            Guarded: another token has this secret.
            Forbidden: ``allows`` raised it.
        """
        async with self._database.begin_write() as transaction:
            await self._database.take_turn(transaction, "tokens")
            row = await transaction.first(_GET, id=token.id)
            if row is not None and allows is not None:
                allows(_widest(row))
            renewed = row is None or renew
            kept = secret_hash if row is None or renew else row["secret_hash"]
            if renewed and await transaction.first(_TAKEN, secret_hash=kept, id=token.id) is not None:
                raise Guarded("another token has this secret; expected the hash of one of its own")
            now = self._database.clock()
            document = msgspec.json.encode(
                msgspec.convert(token, TokenDocument, from_attributes=True)
            ).decode()
            await transaction.run(_PUT, id=token.id, secret_hash=kept, document=document, now=now)
            await transaction.run(_USE, now=now)
            if beside is not None:
                await beside(transaction)
        return Stored(created=row is None, renewed=renewed)

    async def remove(self, id: str, *, allows: Allows | None = None, beside: Beside | None = None) -> None:
        """Remove one, and what it was counted to have sent.

        Raises:
            NotFound: there is none of this id.
            Forbidden: ``allows`` raised it.
        """
        async with self._database.begin_write() as transaction:
            row = await transaction.first(_GET, id=id) if may_be_id(id) else None
            if row is None:
                raise NotFound(f"no token {id[:128]!r} is stored")
            await _remove(transaction, [row], allows, beside)

    async def remove_all(self, *, allows: Allows | None = None, beside: Beside | None = None) -> int:
        """Remove all, or none where ``allows`` raises Forbidden; return how many."""
        async with self._database.begin_write() as transaction:
            await self._database.take_turn(transaction, "tokens")
            rows = await transaction.rows(_ALL)
            await _remove(transaction, rows, allows, beside)
            return len(rows)


async def _remove(
    transaction: Transaction, rows: Sequence[Row], allows: Allows | None, beside: Beside | None
) -> None:
    if allows is not None:
        for row in rows:
            allows(_widest(row))
    ids = [row["id"] for row in rows]
    await transaction.run(_REMOVE, ids=ids)
    await transaction.run(_FORGET, ids=ids)
    if beside is not None:
        await beside(transaction)


def _token(row: Row) -> KnownToken | None:
    """Read one; None where that cannot be done, as of one that a later version wrote: its neighbours must be read."""
    times = {name: _time(row[name]) for name in ("created_at", "updated_at", "used_at")}
    try:
        return stored({**msgspec.json.decode(row["document"], type=dict[str, Any]), **times})
    except ValueError as error:
        log.error(
            "a stored token cannot be read and is refused; store it again", id=row["id"], error=str(error)
        )
        return None


def _widest(row: Row) -> TokenDocument:
    """What it may do; where that cannot be read, all there is: only a token that may do all that may change it."""
    return _token(row) or TokenDocument(id=row["id"], rights=("*",))


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
