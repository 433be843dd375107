"""Schedules in SQL: a tick is fired once, with what it sends; paused ones are not."""

from __future__ import annotations

import asyncio

from tests.unit.state.parcels import parcel
from worker.messaging.firing import Firing, Lead
from worker.state.locks import SqlLocks
from worker.state.outbox import Outbox
from worker.state.pauses import SqlPauses
from worker.state.schedules import KEEP, SqlSchedules
from worker.state.statement import Statement

LEAD = Lead("scheduler", "w1")
_ADD = Statement("""
    INSERT INTO worker_firings (application, schedule, tick, at, message_id, messages)
    VALUES (:application, :schedule, :tick, :at, :message_id, :messages)
""")
TEN = {"ten": "every 10 s"}


def firing(tick: int, *ids: str, schedule: str = "ten") -> Firing:
    return Firing(schedule=schedule, tick=tick, ids=ids)


async def led(database, worker: str = "w1", now: int = 100) -> SqlSchedules:
    """The schedules of a process that has the lead."""
    store = SqlSchedules(database, worker, lambda: None)
    await SqlLocks(database).take("scheduler", worker, 30.0)
    await store.begin(TEN, now)
    return store


async def waiting(database) -> list[str]:
    return [row.outgoing.id for row in await Outbox(database).pending(10_000)]


async def test_a_schedule_that_is_new_has_missed_nothing(database):
    store = await led(database, now=100)
    assert (await store.begin(TEN, 200))["ten"].reached == 100
    assert (await store.begin({"ten": "every 20 s"}, 300))["ten"].reached == 300
    assert set(await store.begin({"other": "x"}, 300)) == {"other"}


async def test_a_tick_is_fired_once_with_all_that_it_sends(database):
    store = await led(database)
    assert await store.due("ten", 110)
    assert await store.fire(firing(110, "a", "b"), [parcel("a"), parcel("b")], LEAD)
    assert not await store.due("ten", 110)
    assert not await store.fire(firing(110, "a", "b"), [parcel("c")], LEAD)
    assert await waiting(database) == ["a", "b"]
    standing = (await store.standings())["ten"]
    assert (standing.reached, standing.last) == (110, firing(110, "a"))


async def test_of_many_that_fire_a_tick_at_once_one_does(database):
    store = await led(database)
    fired = await asyncio.gather(
        *(store.fire(firing(110, f"{one}"), [parcel(f"{one}")], LEAD) for one in range(5))
    )
    assert sorted(fired) == [False] * 4 + [True]
    assert len(await waiting(database)) == 1


async def test_nothing_is_fired_without_the_lead(database, clock):
    store = await led(database)
    assert not await store.fire(firing(110), [], Lead("scheduler", "w2"))
    clock.advance(31)
    assert not await store.fire(firing(110), [], LEAD)
    assert await store.due("ten", 110)


async def test_what_fails_half_way_fires_nothing(database):
    store = await led(database)
    broken = parcel("a")
    broken = type(broken)("memory", type(broken.outgoing)(**{**_fields(broken), "body": object()}))
    try:
        await store.fire(firing(110, "a"), [broken], LEAD)
    except Exception:
        pass
    assert await store.due("ten", 110)
    assert await waiting(database) == []


def _fields(given) -> dict[str, object]:
    return {name: getattr(given.outgoing, name) for name in given.outgoing.__struct_fields__}


async def test_a_paused_schedule_fires_nothing_by_the_clock(database):
    store = await led(database)
    assert await store.pause(TEN, 105, "ann", "why not") == ["ten"]
    assert await store.pause(TEN, 105, "bob", None) == []
    standing = (await store.standings())["ten"]
    assert (standing.paused, standing.paused_by, standing.paused_reason) == (True, "ann", "why not")
    assert not await store.due("ten", 110)
    assert not await store.fire(firing(110, "a"), [parcel("a")], LEAD)
    assert await store.fire(firing(111, "b"), [parcel("b")], None)
    assert await waiting(database) == ["b"]


async def test_ticks_while_it_was_paused_are_not_missed_ones(database):
    store = await led(database)
    await store.pause(TEN, 105, "ann", None)
    assert await store.resume(TEN, 125, "ann") == ["ten"]
    assert await store.resume(TEN, 135, "ann") == []
    assert (await store.begin(TEN, 200))["ten"].reached == 125
    assert not await store.due("ten", 120)
    assert await store.due("ten", 130)


async def test_a_schedule_can_be_paused_before_anything_has_fired(database):
    store = SqlSchedules(database, "w1", lambda: None)
    await store.pause(TEN, 100, "ann", None)
    assert (await store.begin(TEN, 200))["ten"].paused


async def test_what_an_operator_does_is_kept_for_the_audit(database):
    store = await led(database)
    await store.pause(TEN, 105, "ann", "why not")
    await store.resume(TEN, 125, "bob")
    await store.fire(Firing(schedule="ten", tick=126, actor="kim"), [], None)
    noted = [(one["actor"], one["action"], one["subject"]) for one in await SqlPauses(database).audited()]
    assert noted == [
        ("kim", "schedule.run", ["ten"]),
        ("bob", "schedule.resume", ["ten"]),
        ("ann", "schedule.pause", ["ten"]),
    ]


async def test_applications_have_schedules_of_their_own(database, connect):
    other = await connect(application="other")
    mine, theirs = await led(database), await led(other)
    assert await mine.fire(firing(110, "a"), [parcel("a")], LEAD)
    await mine.pause(TEN, 111, "ann", None)
    assert await theirs.due("ten", 110)
    assert not (await theirs.standings())["ten"].paused
    assert (await theirs.standings())["ten"].last is None


async def test_old_firings_are_forgotten_and_not_fired_again(database):
    store = await led(database)
    async with database.begin_write() as transaction:
        for tick in range(1, KEEP + 11):
            await transaction.run(_ADD, schedule="ten", tick=tick * 10, at=0.0, message_id=None, messages=0)
    await store.prune()
    assert not await store.due("ten", 100)
    assert not await store.fire(firing(100, "a"), [parcel("a")], LEAD)
    assert not await store.fire(firing(95, "a"), [parcel("a")], LEAD)
    async with database.begin_read() as transaction:
        assert await transaction.value("SELECT count(*) FROM worker_firings") == KEEP
    assert not await store.due("ten", 110)
    assert await store.due("ten", KEEP * 10 + 110)


async def test_who_leads_is_told_until_its_time_is_over(database, clock):
    store = await led(database)
    assert (await store.leader("scheduler")).worker == "w1"
    clock.advance(31)
    assert await store.leader("scheduler") is None
