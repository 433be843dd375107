"""Pauses as stored: a version for each change, all or nothing, an audit row each, the same for every process."""

from __future__ import annotations

import asyncio

import pytest

from worker.messaging.pausing import Change, Scope, paused, resumed
from worker.state.pauses import SqlPauses

ORDER = Scope("type", "PlaceOrder")
MAIL = Scope("type", "SendMail")


def pausing(*scopes, now=0.0, until=None, reason=None):
    return lambda pauses: paused(pauses, scopes, actor="anna", reason=reason, now=now, until=until)


async def pause(store, *scopes, **facts):
    return await store.change(
        pausing(*scopes, **facts),
        action="pause",
        actor="anna",
        subject=[scope.value for scope in scopes],
        reason=facts.get("reason"),
        until=facts.get("until"),
    )


async def resume(store, *scopes):
    return await store.change(
        lambda pauses: resumed(pauses, scopes, [], actor="ben", now=0.0),
        action="resume",
        actor="ben",
        subject=[scope.value for scope in scopes],
    )


@pytest.fixture
def store(database):
    return SqlPauses(database)


async def test_nothing_is_paused_at_first(store):
    """The first version is 0, without rules."""
    assert await store.version() == 0
    assert (await store.read()).rules == ()


async def test_each_change_raises_the_version_once(store):
    """However many scopes it names."""
    assert await pause(store, ORDER, MAIL, reason="deploy", until=5e9) == 1
    assert await resume(store, ORDER) == 2
    found = await store.read()
    assert found.version == await store.version() == 2
    assert [(rule.scope, rule.reason, rule.until) for rule in found.rules] == [(MAIL, "deploy", 5e9)]


async def test_what_changes_nothing_leaves_no_trace(store):
    """No version, no audit row."""
    await pause(store, ORDER)
    assert await resume(store, MAIL) == 1
    assert await store.version() == 1
    assert len(await store.audited()) == 1


async def test_every_change_is_written_down(store, clock):
    """Who, what, why, until when, and which version it made."""
    await pause(store, ORDER, reason="deploy", until=5e9)
    clock.advance(5)
    await resume(store, ORDER)
    latest, first = await store.audited()
    assert (first["actor"], first["action"], first["subject"]) == ("anna", "pause", ["PlaceOrder"])
    assert (first["reason"], first["until"], first["version"]) == ("deploy", 5e9, 1)
    assert (latest["actor"], latest["action"], latest["version"]) == ("ben", "resume", 2)
    assert latest["at"] - first["at"] == 5


async def test_a_change_that_fails_changes_nothing(store):
    """All or nothing: a fault in deciding leaves version and rules as they were."""

    def broken(pauses):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await store.change(broken, action="pause", actor="anna", subject=[])
    assert (await store.read()).version == 0


async def test_changes_at_once_all_count(store, connect):
    """Several processes that change at the same time see what the one before did: no change is lost."""
    stores = [SqlPauses(await connect()) for _ in range(4)]
    seen = []

    def decide(pauses) -> Change:
        seen.append(pauses.version)
        return paused(
            pauses, [Scope("type", f"T{pauses.version}")], actor="x", reason=None, now=0.0, until=None
        )

    await asyncio.gather(
        *(one.change(decide, action="pause", actor="x", subject=[]) for one in stores for _ in range(5))
    )
    found = await store.read()
    assert found.version == 20
    assert len({rule.scope for rule in found.rules}) == 20
    assert sorted(seen) == list(range(1, 21))


async def test_ended_pauses_go_with_the_next_change(store, clock):
    """A pause whose time is over is swept away when something else changes."""
    await pause(store, ORDER, now=clock(), until=clock() + 10)
    clock.advance(11)
    await pause(store, MAIL)
    assert [rule.scope for rule in (await store.read()).rules] == [MAIL]


async def test_a_change_is_told_at_once_where_the_database_tells(database, connect):
    """On PostgreSQL another process hears of it without asking; on SQLite there is nothing to hear."""
    heard = asyncio.Event()
    listening = asyncio.create_task(SqlPauses(await connect()).listen(heard.set))
    try:
        if database.is_sqlite:
            async with asyncio.timeout(10):
                await listening
            return
        async with asyncio.timeout(10):
            await heard.wait()  # it listens
            heard.clear()
            await pause(SqlPauses(database), ORDER)
            await heard.wait()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
