"""Idempotency keys in SQL: claims, answers, and what is left of requests that never ended."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from worker.errors import Guarded
from worker.messaging.batcher import Batcher
from worker.messaging.idempotency import Answer, Begun, Finished, Fresh, InProgress, Key, Mismatch, Repeat
from worker.state.database import Database
from worker.state.pruning import prune
from worker.state.statement import Statement
from worker.state.transaction import Transaction

_PENDING, _DONE = "pending", "done"

_FORGET = Statement("""
    DELETE FROM worker_idempotency
    WHERE application = :application AND id = ANY (:ids) AND expires_at <= :now
""")
_ADD = Statement("""
    INSERT INTO worker_idempotency
        (application, id, body_hash, message_id, state, claim, leased_until, expires_at, answer)
    VALUES
        (:application, :id, :body_hash, :message_id, :state, :claim, :leased_until, :expires_at, :answer)
    ON CONFLICT DO NOTHING
""")
_CHOSEN = Statement("""
    SELECT id, body_hash, message_id, state, claim, leased_until, answer FROM worker_idempotency
    WHERE application = :application AND id = ANY (:ids) ORDER BY id FOR UPDATE
""")
_TAKE = Statement("""
    UPDATE worker_idempotency SET body_hash = :body_hash, message_id = :message_id, state = :state, claim = :claim,
        leased_until = :leased_until, expires_at = :expires_at, answer = :answer
    WHERE application = :application AND id = :id
""")
_ABANDON = Statement("""
    UPDATE worker_idempotency SET state = 'abandoned'
    WHERE application = :application AND id = :id AND claim = :claim AND state = 'pending'
""")
_FINISH = Statement("""
    UPDATE worker_idempotency SET state = 'done', answer = :answer
    WHERE application = :application AND id = :id AND claim = :claim
""")
_PRUNE = Statement("""
    DELETE FROM worker_idempotency WHERE application = :application AND id IN (
        SELECT id FROM worker_idempotency WHERE application = :application AND expires_at <= :now LIMIT :portion
    )
""")


class _Try(msgspec.Struct, frozen=True):
    id: str
    body_hash: str
    message_id: str
    claim: str


class _End(msgspec.Struct, frozen=True):
    id: str
    claim: str
    answer: bytes | None


class SqlIdempotency:
    """Idempotency keys; concurrent requests share a transaction.

    A claim whose intake died ends by itself after ``lease`` seconds.

    Args:
        database: connected.
        lease: seconds that one request may take before the next with its key goes on.
        keep: seconds for which a key is remembered.
    """

    def __init__(self, database: Database, lease: float = 30.0, keep: float = 86_400.0) -> None:
        self._database = database
        self._lease = lease
        self._keep = keep
        self._tries: Batcher[_Try, Begun] = Batcher(self._begin)
        self._ends: Batcher[_End, None] = Batcher(self._end)

    async def begin(self, key: Key, body: bytes, message_id: str) -> Begun:
        """Claim a key; see the port.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        body_hash = hashlib.sha256(body).hexdigest()
        return await self._tries.submit(_Try(_id(key), body_hash, message_id, uuid.uuid4().hex))

    async def finish(self, key: Key, claim: str, answer: Answer) -> None:
        """Remember the answer; nothing happens when the claim has passed to another request.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        await self._ends.submit(_End(_id(key), claim, msgspec.msgpack.encode(answer)))

    async def abandon(self, key: Key, claim: str) -> None:
        """Let the next try go on at once; a key that has been answered keeps its answer.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        await self._ends.submit(_End(_id(key), claim, None))

    async def prune(self) -> int:
        """Forget keys whose time is over, and say how many.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        return await prune(self._database, _PRUNE, now=await self._database.now())

    async def _begin(self, tries: Sequence[_Try]) -> list[Begun]:
        now = await self._database.now()
        ids = sorted({item.id for item in tries})
        async with self._database.begin_write() as transaction:
            await transaction.run(_FORGET, ids=ids, now=now)
            rows = [self._row(item, now) for item in sorted(tries, key=lambda item: item.id)]
            await transaction.run_each(_ADD, rows)
            known = {row["id"]: dict(row) for row in await transaction.rows(_CHOSEN, ids=ids)}
            return [await self._judge(transaction, item, known[item.id], now) for item in tries]

    async def _judge(self, transaction: Transaction, item: _Try, row: dict[str, Any], now: float) -> Begun:
        if row["claim"] == item.claim:
            return Fresh(item.message_id, item.claim)
        same = row["body_hash"] == item.body_hash
        if row["state"] == _DONE:
            return Repeat(msgspec.msgpack.decode(row["answer"], type=Answer)) if same else Mismatch()
        if row["state"] == _PENDING and not same:
            return Mismatch()
        if row["state"] == _PENDING and row["leased_until"] > now:
            return InProgress()
        # abandoned, or its intake died: the same body is the same message, whatever became of the first try
        taken = self._row(item, now)
        if same:
            taken["message_id"] = row["message_id"]
        await transaction.run(_TAKE, **taken)
        row.update(taken)
        return Fresh(taken["message_id"], item.claim, again=same)

    async def _end(self, ends: Sequence[_End]) -> list[None]:
        ends = sorted(ends, key=lambda end: end.id)
        answered = [msgspec.structs.asdict(end) for end in ends if end.answer is not None]
        abandoned = [{"id": end.id, "claim": end.claim} for end in ends if end.answer is None]
        async with self._database.begin_write() as transaction:
            await transaction.run_each(_FINISH, answered)
            await transaction.run_each(_ABANDON, abandoned)
        return [None] * len(ends)

    def _row(self, item: _Try, now: float) -> dict[str, Any]:
        return {
            "id": item.id,
            "body_hash": item.body_hash,
            "message_id": item.message_id,
            "state": _PENDING,
            "claim": item.claim,
            "leased_until": now + self._lease,
            "expires_at": now + self._keep,
            "answer": None,
        }


async def finish_with(transaction: Transaction, finished: Finished) -> None:
    """Remember an answer in the transaction of what it is about: the key is answered if and only if that is committed.

    Raises:
        Guarded: the claim has passed to another request, so nothing may be committed for this one.
    """
    answer = msgspec.msgpack.encode(finished.answer)
    if not await transaction.run(_FINISH, id=_id(finished.key), claim=finished.claim, answer=answer):
        raise Guarded(
            "this took so long that another request with its Idempotency-Key has gone on; ask again"
        )


def _id(key: Key) -> str:
    return hashlib.sha256(msgspec.json.encode((key.caller, key.path, key.key))).hexdigest()
