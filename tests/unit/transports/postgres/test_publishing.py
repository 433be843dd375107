"""What is published: refused where PostgreSQL cannot hold it, and no message fails through the fault of another."""

from __future__ import annotations

import asyncio

import pytest

from tests.conformance.clock import Clock
from tests.unit.transports.postgres.conftest import QUEUE, message
from transports import registry

pytestmark = pytest.mark.broker


@pytest.mark.parametrize("changes", [{"id": "a\0b"}, {"key": "a\0b"}, {"content_type": "a\0b"}])
async def test_a_nul_character_is_refused_alone(transport, changes):
    """PostgreSQL's text holds no NUL; the rest of the batch is taken."""
    outcomes = await transport.publish([message(1), message(2, **changes), message(3)])
    assert [outcome.accepted for outcome in outcomes] == [True, False, True]
    assert "NUL" in outcomes[1].detail


async def test_one_bad_publish_of_a_batch_fails_alone(transport):
    """What cannot be sent at all is its caller's error, not that of those it was gathered with."""
    good, bad, more = await asyncio.gather(
        transport.publish([message(1)]),
        transport.publish([message(2, delay="soon")]),
        transport.publish([message(3)]),
        return_exceptions=True,
    )
    assert good[0].accepted
    assert more[0].accepted
    assert isinstance(bad, Exception)
    assert (await transport.depth(["jobs"]))["jobs"].ready == 2


async def test_what_is_published_together_shares_a_statement(transport, sql):
    """A hundred callers at once cost a few transactions."""
    before = await sql.fetchval("SELECT pg_current_xact_id()::text::bigint")
    await asyncio.gather(*(transport.publish([message(number)]) for number in range(100)))
    after = await sql.fetchval("SELECT pg_current_xact_id()::text::bigint")
    assert after - before < 20
    assert (await transport.depth(["jobs"]))["jobs"].ready == 100


async def test_a_delay_begins_when_it_is_asked_for(postgres_url, tmp_path):
    """However long a publish waits for the server, its message is due when it was meant to be."""
    clock = Clock()
    transport = registry.create("jobs", postgres_url, {}, base=tmp_path, clock=clock)
    await transport.connect()
    await transport.setup([QUEUE])
    await transport._links.publishes._turn.acquire()
    publishing = asyncio.ensure_future(transport.publish([message(1, delay=10.0)]))
    await asyncio.sleep(0)
    clock.advance(11.0)
    transport._links.publishes._turn.release()
    assert (await publishing)[0].accepted
    subscription = await transport.subscribe(QUEUE, slots=1)
    assert await subscription.receive(1, 0.0), "its time is over already"
    await transport.close()
