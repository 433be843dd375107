"""Limits: never more is let through, by however many processes, and the database is asked once a share."""

import asyncio
from datetime import UTC, datetime

import pytest

from worker.errors import DatabaseUnavailable, LimitReached
from worker.tokens.document import KnownToken
from worker.tokens.principal import principal_of
from worker.tokens.spending import PART, Spending

NOW = 1_770_000_000.25


class Counts:
    """Counts in a dictionary, as all processes share them."""

    def __init__(self):
        self.counts = {}
        self.asked = 0
        self.fails = None

    async def take(self, token, wanted):
        self.asked += 1
        await asyncio.sleep(0)
        if self.fails is not None:
            raise self.fails
        found = []
        for unit, window, more, most in wanted:
            key = (token, unit, window.start)
            count = self.counts.get(key, 0) + more
            found.append(count if count <= most else None)
            if count <= most:
                self.counts[key] = count
        return found


class Clock:
    now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def counts():
    return Counts()


@pytest.fixture
def processes(counts, clock):
    return [Spending(counts, clock), Spending(counts, clock)]


def shop(*limits, name="shop"):
    return principal_of(KnownToken(id=name, limits=limits), (), lambda name, plugins: ())


async def spent(process, principal, times):
    """How many of so many messages are let through, one after the other."""
    passed = 0
    for _ in range(times):
        try:
            await process.spend(principal)
        except LimitReached:
            continue
        passed += 1
    return passed


async def test_the_one_too_many_is_refused_by_whichever_process_and_the_next_window_begins_anew(
    processes, clock
):
    """Two a second: the third is refused, and told for how long."""
    one, other = processes
    token = shop("2/s")
    await one.spend(token)
    await other.spend(token)
    for process in processes:
        with pytest.raises(LimitReached, match="'shop' has reached its limit of 2/s") as refused:
            await process.spend(token)
        assert refused.value.retry_after == pytest.approx(0.75)
    clock.now += 0.75
    assert await spent(other, token, 3) == 2


async def test_every_limit_counts_for_itself_and_refused_messages_for_none(processes, clock, counts):
    """What one limit refuses leaves the others as they are."""
    token = shop("2/s", "5/i", "8")
    one, other = processes
    clock.now = NOW // 60 * 60
    passed = []
    for step, process in ((0, one), (1, other), (1, one), (58, other), (1, one)):
        clock.now += step
        passed.append(await spent(process, token, 4))
    assert passed == [2, 2, 1, 2, 1]
    assert {unit: count for (_, unit, _), count in counts.counts.items() if unit != "s"}[""] == 8
    with pytest.raises(LimitReached, match="8 in all") as refused:
        await one.spend(token)
    assert refused.value.retry_after is None


async def test_of_a_large_limit_a_process_takes_a_share_at_once(processes, counts):
    """One statement for a hundredth, ever less towards the end; a process alone uses all of it."""
    token = shop("10K/d")
    assert await spent(processes[0], token, 100) == 100
    assert counts.asked == 1
    assert await spent(processes[0], token, 10_000) == 9_900
    assert counts.asked < 700
    asked = counts.asked
    assert await spent(processes[0], token, 50) == 0
    assert counts.asked <= asked + 1


@pytest.mark.parametrize("limit", [1, 7, 50, 1000])
async def test_never_more_is_let_through_than_the_limit(limit, counts, clock):
    """Many at once, in three processes; all of a small limit, and of a large one but the parts that were not used."""
    token = shop(f"{limit}/d")
    processes = [Spending(counts, clock) for _ in range(3)]

    async def one(process):
        try:
            await process.spend(token)
        except LimitReached:
            return 0
        return 1

    passed = sum(await asyncio.gather(*(one(processes[n % 3]) for n in range(limit * 2))))
    assert limit - 2 * (limit // PART) <= passed <= limit


async def test_many_at_once_share_a_statement(processes, counts):
    """A batch of lines asks once."""
    await asyncio.gather(*(processes[0].spend(shop("500/i")) for _ in range(1)))
    token = shop("500/i")
    await asyncio.gather(*(processes[1].spend(token) for _ in range(300)))
    assert counts.asked <= 4


async def test_a_token_that_is_made_anew_begins_anew_and_a_changed_limit_holds_at_once(processes, counts):
    """A name tells nothing: neither that it has spent all, nor that something is left."""
    one = processes[0]
    assert await spent(one, shop("1"), 3) == 1
    assert await spent(one, shop("3"), 5) == 2
    assert await spent(one, shop("2"), 5) == 0
    assert await spent(one, shop("0/s"), 5) == 0
    counts.counts.clear()
    anew = KnownToken(id="shop", limits=("1",), created_at=datetime(2027, 1, 1, tzinfo=UTC))
    assert await spent(one, principal_of(anew, (), lambda name, plugins: ()), 3) == 1


async def test_without_the_database_nothing_passes_but_what_was_taken(processes, counts):
    """An outage is no way around a limit; afterwards it goes on."""
    token = shop("1K/h")
    await processes[0].spend(token)
    counts.fails = DatabaseUnavailable("down")
    assert await spent(processes[0], token, 9) == 9
    with pytest.raises(DatabaseUnavailable):
        await processes[0].spend(token)
    counts.fails = None
    assert await spent(processes[0], token, 5) == 5
