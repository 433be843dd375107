"""The tables: made once, however many programs make them at once, by any user that may, and never downgraded."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from tests.unit.transports.postgres.conftest import QUEUE, message
from transports import registry
from worker.errors import TransportUnavailable
from worker.messaging.transport import QueueSpec

pytestmark = pytest.mark.broker


async def test_many_set_up_at_once(tmp_path, postgres_url):
    """Processes that start together on an empty database all succeed."""
    made = [registry.create("jobs", postgres_url, {}, base=tmp_path) for _ in range(5)]
    await asyncio.gather(*(transport.connect() for transport in made))
    assert await made[0].missing([QUEUE]) == ["jobs"]
    await asyncio.gather(*(transport.setup([QUEUE]) for transport in made))
    assert await made[0].missing([QUEUE]) == []
    for transport in made:
        await transport.close()


async def test_before_anything_is_set_up_nothing_is_there(tmp_path, postgres_url):
    """An empty database has no queue to publish to or to take from, and that is no error of SQL."""
    transport = registry.create("jobs", postgres_url, {}, base=tmp_path)
    await transport.connect()
    assert not (await transport.publish([message()]))[0].accepted
    assert (await transport.depth(["jobs"]))["jobs"].ready == 0
    assert await transport.holds("jobs", ["m1"]) == frozenset()
    subscription = await transport.subscribe(QUEUE, slots=1)
    assert list(await subscription.receive(1, 0.0)) == []
    await transport.close()


async def test_no_right_to_create_is_needed_where_all_is_there(transport, sql, postgres_url, tmp_path):
    """A user that may only read and write rows can work once another user has set up."""
    name = urlsplit(postgres_url).path[1:]
    user = f"humble_{name}"
    await sql.execute(f"REVOKE CREATE ON SCHEMA public FROM public; CREATE USER {user}")
    await sql.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}")
    parts = urlsplit(postgres_url)
    url = urlunsplit(parts._replace(netloc=f"{user}@{parts.hostname}:{parts.port}"))
    humble = registry.create("jobs", url, {}, base=tmp_path)
    try:
        await humble.connect()
        await humble.setup([QUEUE])
        assert (await humble.publish([message()]))[0].accepted
        await humble.setup([QueueSpec(name="more", types=())])  # a row, no table
    finally:
        await humble.close()
        await sql.execute(f"DROP OWNED BY {user}; DROP USER {user}")


async def test_tables_of_a_newer_release_are_left_alone(transport, sql, postgres_url, tmp_path):
    """An older program says so, and touches nothing."""
    await sql.execute("UPDATE transport_schema SET version = 99")
    with pytest.raises(TransportUnavailable, match="newer release"):
        await registry.create("jobs", postgres_url, {}, base=tmp_path).connect()


async def test_a_database_made_anew_is_noticed(transport, sql):
    """Numbers of queues are asked for again over a new connection: a message never goes to another's queue."""
    await transport.publish([message(1)])
    await sql.execute("TRUNCATE transport_messages, transport_queues RESTART IDENTITY")
    await sql.execute("INSERT INTO transport_queues (name) VALUES ('other'), ('jobs')")
    await sql.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    async with asyncio.timeout(20):
        while True:
            try:
                outcomes = await transport.publish([message(2)])
            except TransportUnavailable:
                continue
            if outcomes[0].accepted:
                break
    assert await transport.holds("jobs", ["m2"]) == {"m2"}
    assert await transport.holds("other", ["m2"]) == frozenset()


async def test_the_claim_goes_along_its_index_without_statistics(transport, sql):
    """On a deep table that was never analysed the claim neither sorts nor scans what waits."""
    await sql.execute(
        "INSERT INTO transport_messages (queue, message_id, visible_at, body)"
        " SELECT 1, g::text, g, '' FROM generate_series(1, 20000) g"
    )
    subscription = await transport.subscribe(QUEUE, slots=10)
    assert len(await subscription.receive(10, 5.0)) == 10
    plans = []

    async def explain(connection: asyncpg.Connection) -> None:
        from transports.postgres.claiming import _CLAIM, _NEXT

        prepared = await connection.prepare(_CLAIM)
        plans.append(await prepared.explain(1, 10, 60.0, 1, None))
        prepared = await connection.prepare(_NEXT)
        plans.append(await prepared.explain(1, None))

    await transport._links.claims.run(explain)
    for plan in map(str, plans):
        assert "transport_visible" in plan
        assert "Seq Scan" not in plan
        assert "Sort" not in plan
        assert "Bitmap" not in plan
