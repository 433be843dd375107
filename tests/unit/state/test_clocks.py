"""The state over steps of the clock, on both databases: no live worker looks dead, no lock is lost, nothing waits for an hour."""

from __future__ import annotations

import pytest

from tests.conformance.clock import Clock
from worker.messaging.breaker import Breaker
from worker.messaging.idempotency import Fresh, InProgress, Key
from worker.messaging.pausing import Scope, paused
from worker.messaging.transport import Outgoing
from worker.state.breakers import SqlBreakers
from worker.state.database import Database
from worker.state.exclusive import SqlExclusive
from worker.state.idempotency import SqlIdempotency
from worker.state.inbox import Inbox
from worker.state.outbox import Outbox
from worker.state.pauses import SqlPauses
from worker.state.workers import Heartbeat, Workers

HOUR = 3600.0
STEPS = pytest.mark.parametrize("step", [HOUR, -HOUR])


@pytest.fixture
def clock() -> Clock:
    """One that can be set, too; it stands for the server's."""
    return Clock()


def beat(name: str) -> Heartbeat:
    return Heartbeat(id=name, host="h", pid=1, started_at=1.0)


async def stepped(database: Database, clock: Clock, step: float) -> None:
    """Let the clock be set, and this process see it at its next beat."""
    clock.advance(20)
    await database.now()
    clock.step(step)
    database.time._due = 0.0
    await database.now()


async def test_without_tables_the_machines_clock_is_taken(connect, clock: Clock) -> None:
    """A command that only looks at a database finds no fault here where the tables are not made yet."""
    bare = await connect()
    assert await bare.now(writes=False) == clock()


@STEPS
async def test_the_living_stay_alive_and_the_dead_do_not(
    database: Database, clock: Clock, step: float
) -> None:
    """A worker is live for as long as its last beat is recent, whatever the clock says; shown is the clock's time."""
    workers = Workers(database)
    await workers.beat(beat("dead"))
    await stepped(database, clock, 0)
    await workers.beat(beat("alive"))
    await stepped(database, clock, step)
    clock.advance(5)
    await workers.beat(beat("late"))
    found = {one.id: one.seen_at for one in await workers.live(30.0)}
    assert set(found) == {"alive", "late"}
    assert found["late"] == pytest.approx(clock())


@STEPS
async def test_processes_agree_also_those_that_start_later(
    database: Database, connect, clock: Clock, step: float
) -> None:
    """The one that sees the step first stores what makes up for it."""
    other = await connect()
    await other.now()
    began = clock.monotonic()
    await stepped(database, clock, step)
    late = await connect()
    for one in (database, other, late):
        one.time._due = 0.0
        assert await one.now() == pytest.approx(began + 20)
    assert await late.now(writes=False) == pytest.approx(began + 20)


@STEPS
async def test_the_exclusive_lock_is_neither_lost_nor_kept(
    database: Database, clock: Clock, step: float
) -> None:
    """Set forward it is still its holder's, set back it ends with its lease."""
    lock = SqlExclusive(database)
    clock.advance(1)
    assert await lock.take("w1", "m1", "T", 30.0) is not None
    clock.step(step)
    assert await lock.take("w2", "m2", "T", 30.0) is None
    clock.advance(31)
    assert await lock.take("w2", "m2", "T", 30.0) is not None


@STEPS
async def test_a_parked_delay_is_a_length_of_time(database: Database, clock: Clock, step: float) -> None:
    """What waits in the database for its time comes after that time."""
    outbox = Outbox(database)
    await outbox.park("t", [Outgoing(queue="q", id="m", type="T", body=b"", delay=600.0)], longest=0.0)
    await stepped(database, clock, step)
    clock.advance(570)
    assert await outbox.claim("w", 10, 30.0) == []
    clock.advance(11)
    assert [row.outgoing.id for row in await outbox.claim("w", 10, 30.0)] == ["m"]
    await stepped(database, clock, step)
    assert await outbox.claim("other", 10, 30.0) == []  # claimed, 20 s ago
    clock.advance(11)
    assert len(await outbox.claim("other", 10, 30.0)) == 1


@STEPS
async def test_an_idempotency_key_is_its_requests_for_its_time(
    database: Database, clock: Clock, step: float
) -> None:
    """A repeat while the first is under way finds it so; what an intake that died left ends with its lease."""
    keys = SqlIdempotency(database, lease=30.0)
    key = Key(caller="c", path="/p", key="k")
    assert isinstance(await keys.begin(key, b"x", "m1"), Fresh)
    await stepped(database, clock, step)
    assert isinstance(await keys.begin(key, b"x", "m2"), InProgress)
    clock.advance(11)
    assert isinstance(await keys.begin(key, b"x", "m3"), Fresh)


@STEPS
async def test_a_pause_lasts_as_long_as_was_said(database: Database, clock: Clock, step: float) -> None:
    """A pause for ten minutes ends after ten minutes; the audit shows its times as the clock had them."""
    pauses, scope = SqlPauses(database), Scope("type", "T")
    now = await database.now()
    await pauses.change(
        lambda before: paused(before, [scope], actor="me", reason=None, now=now, until=now + 600),
        action="pause",
        actor="me",
        subject=["T"],
        until=now + 600,
    )
    (noted,) = await pauses.audited()
    assert noted["until"] == pytest.approx(clock() + 600)
    await stepped(database, clock, step)
    clock.advance(570)
    (rule,) = (await pauses.read()).rules
    assert rule.holds(await database.now())
    clock.advance(11)
    assert not rule.holds(await database.now())


async def test_what_guards_from_repetition_is_not_forgotten_at_once(database: Database, clock: Clock) -> None:
    """A clock set forward by years makes no work look old that was done just now: it would be done again."""
    inbox = Inbox(database)
    async with database.begin_write() as transaction:
        assert await inbox.add(transaction, "m", "h")
    await stepped(database, clock, 10 * 365 * 86_400.0)
    assert await inbox.prune(7 * 86_400.0) == 0
    assert await inbox.knows("m", "h")
    clock.advance(8 * 86_400.0)
    assert await inbox.prune(7 * 86_400.0) == 1


@STEPS
async def test_a_breakers_probe_is_due_after_its_pause(database: Database, clock: Clock, step: float) -> None:
    """No worker probes early, and none waits an hour longer."""
    breakers, breaker = SqlBreakers(database), Breaker(pause=60.0)
    assert await breakers.open("b", breaker, ["T"], "down")
    await stepped(database, clock, step)
    assert not await breakers.claim("b", "w", 30.0)
    clock.advance(41)
    assert await breakers.claim("b", "w", 30.0)
