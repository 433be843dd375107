"""Messages that were in hand when a worker died: remembered by application, changed together."""

from __future__ import annotations

import asyncio

from worker.messaging.suspicion import Death, Holder, Record, Treatment, treatment_of
from worker.state.suspects import SqlSuspects
from worker.state.workers import Heartbeat, Workers

A, B = Holder("a", "here", 1), Holder("b", "there", 2)


def dead(_holder):
    return False


def elsewhere(_holder):
    return None


async def test_a_message_whose_workers_die_becomes_suspect(database):
    """The next worker that it is handed to finds the deaths, and begins it itself."""
    first, second = SqlSuspects(database, A, dead), SqlSuspects(database, B, dead)
    assert treatment_of(await first.handed("m")) is Treatment.ORDINARY
    record = await second.handed("m")
    assert [death.worker for death in record.deaths] == ["", "a"]
    assert record.deaths[1].certain
    assert record.holder == B
    assert treatment_of(record) is Treatment.ALONE


async def test_what_was_ended_is_forgotten(database):
    """It starts anew."""
    store = SqlSuspects(database, A, dead)
    await store.handed("m")
    await store.put("m", None)
    again = await store.handed("m")
    assert [death.worker for death in again.deaths] == [""]


async def test_what_was_given_back_keeps_its_deaths_and_gets_none(database):
    """Giving back is no death."""
    store = SqlSuspects(database, A, dead)
    deaths = (Death(at=1.0, worker="x", alone=True, certain=True),)
    await store.put("m", Record(deaths=deaths))
    assert (await SqlSuspects(database, B, dead).handed("m")).deaths == deaths


async def test_a_late_worker_changes_nothing_of_what_another_has(database):
    """One that was frozen and ends the message then."""
    late, other = SqlSuspects(database, A, elsewhere), SqlSuspects(database, B, elsewhere)
    await late.handed("m")
    held = await other.handed("m")
    await late.put("m", None)
    assert await other.handed("m") == held


async def test_a_worker_elsewhere_is_dead_when_its_heart_stands_still(database, clock):
    """Until then it is not known, and nothing is held against the message for certain."""
    await Workers(database).beat(Heartbeat(id="a", host="h", pid=1, started_at=0.0))
    first, second = SqlSuspects(database, A, elsewhere), SqlSuspects(database, B, elsewhere)
    for passed, certain in ((1.0, False), (20.0, True)):
        name = f"m{passed}"
        await first.handed(name)
        clock.advance(passed)
        death = (await second.handed(name)).deaths[-1]
        assert (death.worker, death.certain, death.alone) == ("a", certain, False)


async def test_calls_at_once_share_a_transaction_and_keep_their_order(database):
    """Of one message, too."""
    store = SqlSuspects(database, A, dead)
    calls = [store.handed("m"), store.put("m", None), store.handed("n")]
    await asyncio.gather(*calls)
    (row,) = await _rows(database)
    assert row["name"] == "n"


async def test_applications_share_nothing(connect, database):
    """One's deaths are not another's."""
    await SqlSuspects(database, A, dead).handed("m")
    other = SqlSuspects(await connect(application="bank"), B, dead)
    assert [death.worker for death in (await other.handed("m")).deaths] == [""]


async def test_what_is_old_is_pruned(database, clock):
    """A message that was ended elsewhere leaves nothing for ever."""
    store = SqlSuspects(database, A, dead)
    await store.handed("old")
    clock.advance(100.0)
    await store.handed("new")
    assert await store.prune(50.0) == 1
    assert [row["name"] for row in await _rows(database)] == ["new"]


async def _rows(database):
    async with database.begin_read() as transaction:
        return await transaction.rows("SELECT name FROM worker_suspects ORDER BY name")
