"""Applications that share a database share nothing in it."""

from __future__ import annotations

import pytest

from tests.unit.state.parcels import parcel
from tests.unit.state.statements import STATEMENTS
from tests.unit.state.test_failures import attempt, failure
from tests.unit.state.test_idempotency import ANSWER, KEY
from tests.unit.state.test_pauses import ORDER, pause, resume
from worker.messaging.breaker import Breaker
from worker.messaging.failure import Filter
from worker.messaging.idempotency import Fresh
from worker.messaging.status import StatusChange
from worker.state.breakers import SqlBreakers
from worker.state.exclusive import SqlExclusive
from worker.state.failures import SqlFailures
from worker.state.idempotency import SqlIdempotency
from worker.state.inbox import Inbox
from worker.state.migrations import MIGRATIONS
from worker.state.outbox import Outbox
from worker.state.pauses import SqlPauses
from worker.state.status_reader import StatusReader
from worker.state.status_writer import StatusWriter
from worker.state.unit_of_work import SqlUnitsOfWork
from worker.state.workers import Heartbeat, Workers

BY_NUMBER = {
    "outbox_statements.CLAIM",
    "outbox_statements.POSTPONE",
    "outbox_statements.REMOVE",
    "pauses._REMOVE",
    "workers._REMOVE",
}
"""Statements of rows that were read before, by a number or a name that no two applications have in common."""

OF_ALL = {
    "database._TURN",
    "migrating._APPLIED",
    "migrating._THERE",
    "timekeeping._CORRECT",
    "timekeeping._READ",
    "timekeeping._SEEN",
    "timekeeping._THERE",
}
"""Statements about what applications share: the tables, and the one clock."""


@pytest.fixture
async def other(connect, database):
    """The same database, as another application sees it."""
    return await connect(application="bank")


def test_every_statement_is_about_one_application():
    """A new one that forgets ``:application`` is found here."""
    of_one = {
        name
        for name, statement in STATEMENTS.items()
        if "application" in statement.sqlite.names and "application" in statement.postgresql.names
    }
    assert STATEMENTS.keys() - of_one == BY_NUMBER | OF_ALL


async def test_an_idempotency_key_is_answered_by_its_application(database, other):
    """The same key, caller and path of another application is another request."""
    keys, others = SqlIdempotency(database), SqlIdempotency(other)
    begun = await keys.begin(KEY, b"{}", "id-1")
    await keys.finish(KEY, begun.claim, ANSWER)
    assert isinstance(await others.begin(KEY, b"{}", "id-2"), Fresh)


async def test_a_status_is_that_of_its_application(database, other):
    """Two messages of one id have two statuses."""
    for place, state in ((database, "done"), (other, "accepted")):
        writer = StatusWriter(place)
        writer.record(StatusChange(id="m1", type="T", state=state, at=5.0, accepted_at="x"))
        await writer.flush()
    assert (await StatusReader(database).get("m1")).status == "done"
    assert (await StatusReader(other).get("m1")).status == "accepted"
    assert await StatusReader(other).prune(0.0) == 1  # its own, which never ended
    assert (await StatusReader(database).get("m1")).status == "done"


async def test_a_failed_message_is_its_applications_to_retry(database, other):
    """It is neither listed, nor shown, counted, replayed or removed by another."""
    mine, theirs = SqlFailures(database), SqlFailures(other)
    await mine.add([failure()])
    assert await theirs.get("m1") is None
    assert await theirs.groups() == []
    assert await theirs.count(Filter()) == 0
    assert await theirs.page(Filter(), 10) == ([], None)
    assert await theirs.ticket(["m1"]) == {}
    assert await theirs.remove(["m1"]) == 0
    await theirs.add([failure(history=[attempt(1), attempt(2)])])
    assert await theirs.remove(["m1"]) == 1
    found = await mine.get("m1")
    assert len(found.failure.history) == 1 and found.groups


async def test_a_pause_holds_its_applications_types(database, other):
    """Each has its own rules, its own version and its own audit."""
    mine, theirs = SqlPauses(database), SqlPauses(other)
    assert await pause(mine, ORDER) == 1
    assert (await theirs.version(), (await theirs.read()).rules, await theirs.audited()) == (0, (), [])
    assert await pause(theirs, ORDER) == 1
    assert await resume(theirs, ORDER) == 2
    found = await mine.read()
    assert (found.version, [rule.scope for rule in found.rules]) == (1, [ORDER])


async def test_a_breaker_opens_for_its_application(database, other):
    """One of the same name of another stays closed, and closing that opens nothing."""
    mine, theirs = SqlBreakers(database), SqlBreakers(other)
    assert await mine.open("mail", Breaker(), ["Welcome"], "down")
    assert await theirs.open("mail", Breaker(), ["Welcome"], "down")
    await theirs.close("mail")
    assert set((await SqlPauses(database).read()).breakers()) == {"mail"}


async def test_an_exclusive_command_holds_its_application(database, other):
    """Two applications have two locks."""
    mine, theirs = SqlExclusive(database), SqlExclusive(other)
    assert await mine.take("w1", "m1", "Rebuild", 60.0) is not None
    assert await theirs.take("w2", "m2", "Rebuild", 60.0) is not None
    await theirs.release("m2")
    assert (await SqlPauses(database).read()).exclusive.worker == "w1"
    assert (await SqlPauses(other).read()).exclusive is None


async def test_a_worker_is_seen_by_its_application(database, other):
    """Others neither wait for it nor count it."""
    await Workers(database).beat(Heartbeat(id="w1", host="h", pid=1, started_at=0.0))
    assert await Workers(other).live(1e10) == []
    assert [worker.id for worker in await Workers(database).live(1e10)] == ["w1"]


async def test_an_outbox_is_sent_by_its_application(database, other):
    """A relay is given its own application's rows, also where keys, ids and origins are the same."""
    for place, worker in ((database, "w1"), (other, "w2")):
        units = SqlUnitsOfWork(place, Inbox(place), worker)
        assert await units.open("m1", "h").commit([parcel("e1", key="k")])
    mine, theirs = Outbox(database), Outbox(other)
    (row,) = await mine.claim("w1", 10, 30.0)
    (its,) = await theirs.claim("w2", 10, 30.0)
    assert row.seq != its.seq
    await theirs.remove([its.seq])
    assert (await mine.count(), await theirs.count()) == (1, 0)


async def test_work_is_noted_for_its_application(database, other):
    """A message that two applications receive is handled by both."""
    assert await SqlUnitsOfWork(database, Inbox(database)).open("m1", "h").commit([])
    assert not await Inbox(other).knows("m1", "h")
    assert await Inbox(database).knows("m1", "h")


async def test_what_was_there_becomes_the_first_applications(connect):
    """An older database belongs to the application that is started first with it, every row whole."""
    old = await connect(application="it's mine")
    await old.migrating.upgrade([one for one in MIGRATIONS if one.version < 4])
    async with old.begin_write() as transaction:
        for statement in OLD:
            await transaction.run(statement.replace("BYTES", "BLOB" if old.is_sqlite else "BYTEA"))
    await old.setup()
    later = await connect(application="bank")
    await later.setup()
    found = await StatusReader(old).get("m1")
    assert (found.status, found.attempts, found.accepted_at) == ("done", 2, "then")
    assert await Inbox(old).knows("m1", "h")
    row = await SqlFailures(old).get("m2")
    assert (row.failure.body, row.failure.key, row.groups) == (b"{}", "k", ("g1",))
    assert [one.error_message for one in row.failure.history] == ["no"]
    pauses = await SqlPauses(old).read()
    assert (pauses.version, [rule.scope.value for rule in pauses.rules]) == (7, ["T"])
    assert [one["seq"] for one in await SqlPauses(old).audited()] == [4]
    assert [one.id for one in await Workers(old).live(1e10)] == ["w1"]
    (waits,) = await Outbox(old).pending(10)
    assert (waits.seq, waits.outgoing.id) == (41, "e1")
    assert await SqlPauses(later).version() == 0
    assert await StatusReader(later).get("m1") is None
    async with later.begin_read() as transaction:
        for table in ("inbox", "statuses", "failures", "outbox", "attempts", "audit", "idempotency"):
            owners = await transaction.rows(f"SELECT DISTINCT application FROM worker_{table}")
            assert [row["application"] for row in owners] == ["it's mine"], table


async def test_a_number_is_never_used_twice(connect):
    """What was sent before the migration lends its number to nothing that comes after it: its claim may still be out."""
    old = await connect()
    await old.migrating.upgrade([one for one in MIGRATIONS if one.version < 4])
    async with old.begin_write() as transaction:
        for statement in (*OLD, "DELETE FROM worker_outbox"):
            await transaction.run(statement.replace("BYTES", "BLOB" if old.is_sqlite else "BYTEA"))
    await old.setup()
    assert await SqlUnitsOfWork(old, Inbox(old)).open("m9", "h").commit([parcel("e9")])
    (row,) = await Outbox(old).pending(10)
    if old.is_sqlite:  # PostgreSQL's sequence was not asked for 41 above
        assert row.seq == 42


OLD = (
    "INSERT INTO worker_inbox (message_id, handler, done_at) VALUES ('m1', 'h', 1.0)",
    (
        "INSERT INTO worker_statuses (id, type, state, transport, queue, attempts, at, put_back_at, accepted_at, finished_at)"
        " VALUES ('m1', 'T', 'done', 'sqlite', 'q', 2, 5.0, 0, 'then', 6.0)"
    ),
    (
        "INSERT INTO worker_failures (id, type, transport, queue, failed_at, attempts, decoded, body, key, priority)"
        " VALUES ('m2', 'T', 'sqlite', 'q', 5.0, 1, '1', CAST('{}' AS BYTES), 'k', 0)"
    ),
    "INSERT INTO worker_failure_groups VALUES ('m2', 'g1', 'h', 'E')",
    (
        "INSERT INTO worker_attempts (message_id, attempt, at, worker, handler, error_type, error_message, trace)"
        " VALUES ('m2', 1, 5.0, 'w1', 'h', 'E', 'no', 'trace')"
    ),
    (
        "INSERT INTO worker_workers (id, host, pid, started_at, seen_at, applied_version, types)"
        " VALUES ('w1', 'h', 1, 5.0, 5.0, 0, '[]')"
    ),
    "UPDATE worker_control SET version = 7",
    (
        "INSERT INTO worker_pauses (action, origin, scope, value, actor, since, owner)"
        " VALUES ('pause', 'operator', 'type', 'T', 'anna', 5.0, '')"
    ),
    "INSERT INTO worker_audit (seq, at, actor, action, subject, version) VALUES (4, 5.0, 'anna', 'pause', '[]', 7)",
    "INSERT INTO worker_exclusive VALUES (1, 'w1', 'm1', 'T', 1, 9.0)",
    (
        "INSERT INTO worker_outbox (seq, message_id, origin, transport, queue, type, body, delay, priority, content_type,"
        " created_at, claimed_by, claimed_until) VALUES (41, 'e1', 'm1', 'sqlite', 'q', 'T', '{}', 0, 0, 'x', 1.0, '', 0)"
    ),
    (
        "INSERT INTO worker_idempotency (id, body_hash, message_id, state, claim, leased_until, expires_at)"
        " VALUES ('i', 'h', 'm1', 'done', 'c', 1.0, 9e9)"
    ),
)
