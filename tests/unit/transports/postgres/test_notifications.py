"""Notifications: hints that spare others the wait for their next look."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.unit.transports.postgres.conftest import QUEUE, message
from transports import subscription as subscriptions
from transports.postgres.notifications import Notifications

pytestmark = pytest.mark.broker


@pytest.fixture
def hints_only(monkeypatch):
    """No consumer looks by itself: what comes, comes by a hint."""
    monkeypatch.setattr(subscriptions, "_LONGEST_SLEEP", 3600.0)


async def test_another_process_hears_of_a_message(hints_only, transport, connect, postgres_url):
    """A consumer that waits in one process is woken by a publish in another, and by a give-back."""
    other = await connect(postgres_url)
    subscription = await transport.subscribe(QUEUE, slots=1)
    async with asyncio.timeout(20):
        for number in range(3):
            waiting = asyncio.ensure_future(subscription.receive(1, 60.0))
            await asyncio.sleep(0)
            await other.publish([message(number)])
            assert [delivery.id for delivery in await waiting] == [f"m{number}"]


async def test_a_listener_that_lost_its_connection_looks_at_everything(
    hints_only, transport, connect, postgres_url, sql
):
    """Hints that were sent while it did not listen are made up for by looking at all queues once."""
    other = await connect(postgres_url)
    subscription = await transport.subscribe(QUEUE, slots=1)
    await other.publish([message(0)])
    async with asyncio.timeout(20):
        assert await subscription.receive(1, 60.0)
        waiting = asyncio.ensure_future(subscription.receive(1, 60.0))
        await sql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query ILIKE 'listen%'"
        )
        await other.publish([message(1)])
        assert [delivery.id for delivery in await waiting] == ["m1"]


async def test_many_publishes_are_few_notifications(transport, sql):
    """A burst is said once or twice, not once a message, and by no transaction that stores one."""
    heard: list[str] = []
    await sql.add_listener("command_worker_transport", lambda *said: heard.append(said[-1]))
    for number in range(200):
        await transport.publish([message(number)])
    await transport.close()
    await sql.execute("SELECT 1")
    assert heard
    assert len(heard) < 100
    assert set(heard) == {"jobs"}


async def test_what_was_not_said_is_said_later(postgres_url, sql, transport):
    """A notification that the server did not take waits for the next connection."""
    woken: list[object] = []
    notifications = Notifications(transport._settings, "jobs", woken.append)
    good = notifications._work
    failures = iter([asyncpg.ConnectionDoesNotExistError("as the test wants it")])

    async def fail_once(connection):
        for failure in failures:
            raise failure
        await good(connection)

    notifications._work = fail_once
    said = asyncio.Event()
    await sql.add_listener("command_worker_transport", lambda *_: said.set())
    notifications.tell({"jobs"})
    async with asyncio.timeout(20):
        await said.wait()
    await notifications.close()
    await notifications.close()
