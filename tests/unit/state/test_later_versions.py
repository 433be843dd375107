"""What a later version writes into documents of the state is read by this one: processes of both run during a deploy."""

from __future__ import annotations

import msgspec

from worker.messaging.idempotency import Answer, Fresh, Key, Repeat
from worker.messaging.suspicion import Holder
from worker.state.idempotency import SqlIdempotency
from worker.state.statement import Statement
from worker.state.suspects import SqlSuspects

_RECORD = Statement("SELECT record FROM worker_suspects WHERE application = :application AND name = :name")
_REWRITE_RECORD = Statement(
    "UPDATE worker_suspects SET record = :record WHERE application = :application AND name = :name"
)
_ANSWER = Statement("SELECT answer FROM worker_idempotency WHERE application = :application")
_REWRITE_ANSWER = Statement("UPDATE worker_idempotency SET answer = :answer WHERE application = :application")


async def test_of_a_suspect_message_what_is_known_is_read(database):
    """In the record, in its deaths and in its holder."""
    first = SqlSuspects(database, Holder("a", "here", 1), lambda holder: False)
    second = SqlSuspects(database, Holder("b", "there", 2), lambda holder: False)
    known = await first.handed("m")
    async with database.begin_write() as transaction:
        row = await transaction.first(_RECORD, name="m")
        record = msgspec.json.decode(row["record"])
        for part in (record, *record["deaths"], record["holder"]):
            part["colour"] = "red"
        await transaction.run(_REWRITE_RECORD, name="m", record=msgspec.json.encode(record).decode())
    assert (await second.handed("m")).deaths[: len(known.deaths)] == known.deaths


async def test_of_a_remembered_answer_what_is_known_is_read(database):
    """The repeat is answered as the first was."""
    keys, key = SqlIdempotency(database), Key("shop", "/commands/PlaceOrder", "k1")
    answer = Answer(202, (("location", "/commands/1"),), b'{"id":"1"}')
    begun = await keys.begin(key, b"{}", "id-1")
    assert isinstance(begun, Fresh)
    await keys.finish(key, begun.claim, answer)
    async with database.begin_write() as transaction:
        row = await transaction.first(_ANSWER)
        written = msgspec.msgpack.decode(row["answer"]) | {"colour": "red"}
        await transaction.run(_REWRITE_ANSWER, answer=msgspec.msgpack.encode(written))
    assert await keys.begin(key, b"{}", "id-2") == Repeat(answer)
