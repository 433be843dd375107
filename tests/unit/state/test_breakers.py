"""Open breakers as stored: opened once, tried by one worker at a time, taken over from a worker that died."""

from __future__ import annotations

import asyncio

import pytest

from worker.messaging.breaker import Breaker
from worker.messaging.pausing import EVERYTHING, Pauses, Target, resumed
from worker.state.breakers import SqlBreakers
from worker.state.pauses import SqlPauses

MAIL = Breaker(pause=10.0, max_pause=30.0)
WELCOME = Target("Welcome", "command", "sqlite", "q")


@pytest.fixture
def store(database):
    return SqlBreakers(database)


@pytest.fixture
def pauses(database):
    return SqlPauses(database)


async def test_it_is_opened_once_and_holds_its_types(store, pauses, clock):
    """Of several workers that open it one does, with one row of the audit."""
    done = await asyncio.gather(*(store.open("mail", MAIL, ["Welcome", "Remind"], "down") for _ in range(3)))
    assert sorted(done) == [False, False, True]
    found = await pauses.read()
    assert found.version == 1
    pause = found.of(WELCOME, clock())
    assert (pause.actor, pause.reason, pause.origin) == ("breaker", "down", "breaker")
    assert found.breakers() == {"mail": clock() + 10.0}
    assert [row["actor"] for row in await pauses.audited()] == ["breaker"]


async def test_one_worker_tries_and_another_takes_over_when_it_dies(store, clock):
    """No worker before the probe is due; then one; another when that one's time is over."""
    await store.open("mail", MAIL, ["Welcome"], "down")
    assert not await store.claim("mail", "a", 30.0)
    clock.advance(10)
    tried = await asyncio.gather(*(store.claim("mail", name, 30.0) for name in "abc"))
    assert sorted(tried) == [False, False, True]
    winner = "abc"[tried.index(True)]
    assert await store.claim("mail", winner, 30.0)
    clock.advance(30)
    assert await store.claim("mail", "d", 30.0)


async def test_each_failure_puts_the_next_try_further_off(store, pauses, clock):
    """Twice as far, at most ``max_pause``; only who tried has a say."""
    await store.open("mail", MAIL, ["Welcome"], "down")
    for pause in (10.0, 20.0, 30.0, 30.0):
        assert (await pauses.read()).breakers() == {"mail": clock() + pause}
        clock.advance(pause)
        assert await store.claim("mail", "a", 30.0)
        await store.postpone("mail", "b", MAIL)
        await store.postpone("mail", "a", MAIL)


async def test_closing_ends_its_pauses_and_nobody_elses(store, pauses, clock):
    """Closing twice is closing once."""
    await store.open("mail", MAIL, ["Welcome"], "down")
    await store.open("pay", MAIL, ["Welcome"], "down")
    await store.close("mail")
    await store.close("mail")
    found = await pauses.read()
    assert found.breakers().keys() == {"pay"}
    assert found.version == 3


async def test_what_an_operator_overrode_can_open_again(store, pauses):
    """Its count of tries begins anew."""
    await store.open("mail", MAIL, ["Welcome"], "down")

    def override(found: Pauses):
        return resumed(found, [EVERYTHING], [], actor="anna", now=0.0)

    await pauses.change(override, action="resume", actor="anna", subject=["all"])
    assert (await pauses.read()).breakers() == {}
    assert await store.open("mail", MAIL, ["Welcome"], "down again")
