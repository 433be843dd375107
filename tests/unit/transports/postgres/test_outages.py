"""The line to the server in trouble: every wait is bounded, outcomes are told apart, and it goes on by itself."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import asyncpg
import pytest

from tests.unit.transports.postgres.conftest import QUEUE, message
from transports import registry
from transports.postgres import link
from worker.errors import TransportUnavailable
from worker.messaging.transport import Ack, OutcomeKind, Settled

pytestmark = [pytest.mark.broker, pytest.mark.fault]

PATIENCE = 20.0


async def take(subscription, count=1):
    """Receive through an outage."""
    taken = []
    async with asyncio.timeout(PATIENCE):
        while len(taken) < count:
            try:
                taken.extend(await subscription.receive(count - len(taken), 0.5))
            except TransportUnavailable:
                await asyncio.sleep(0.05)
    return taken


async def publish(transport, *messages):
    """Publish until it is accepted."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                outcomes = await transport.publish(messages)
                if all(outcome.accepted for outcome in outcomes):
                    return
            except TransportUnavailable:
                await asyncio.sleep(0.05)


async def test_a_cut_line_is_opened_again_without_anybody_noticing(far, proxy):
    """A reset of all connections while nothing is under way costs nothing: the next call opens new ones."""
    subscription = await far.subscribe(QUEUE, slots=10)
    for number in range(3):
        await publish(far, message(number))
        (delivery,) = await take(subscription)
        assert list(await subscription.settle([Ack(delivery)])) == [Settled.DONE]
        proxy.cut()
    await publish(far, message(9))
    assert [delivery.id for delivery in await take(subscription)] == ["m9"]


async def test_a_publish_without_an_answer_is_unknown_and_harmless_to_repeat(far, proxy, transport):
    """What was on its way when the line froze may have been taken; the same again makes no twin."""
    await publish(far, message(1))
    proxy.freeze()
    async with asyncio.timeout(PATIENCE):
        (outcome,) = await far.publish([message(2)])
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert "no answer in time" in outcome.detail
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(TransportUnavailable, match="127"):
            await far.publish([message(3)])
        with pytest.raises(TransportUnavailable):
            await far.ping()
    proxy.clear()
    await publish(far, message(2))
    assert (await transport.depth(["jobs"]))["jobs"].ready == 2


async def test_a_database_that_is_read_only_is_said_to_be(far, far_url, proxy):
    """A standby answers, and takes no message: a ping says that, and what is expected."""
    await far.ping()
    owner = await asyncpg.connect(far_url)
    name = await owner.fetchval("SELECT current_database()")
    await owner.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    await owner.close()
    proxy.cut()  # what is opened from now on is read-only
    async with asyncio.timeout(PATIENCE):
        with suppress(TransportUnavailable):  # the line that was cut
            await far.ping()
        with pytest.raises(TransportUnavailable, match=r"read-only.*expected the primary"):
            await far.ping()


async def test_a_server_that_refuses_takes_nothing(far, proxy):
    """Without a connection nothing was asked: that is an outage, not an unknown outcome."""
    proxy.refuse()
    proxy.cut()
    with pytest.raises(TransportUnavailable):
        await far.publish([message()])
    proxy.clear()
    await publish(far, message())


async def test_a_settlement_is_carried_through_a_short_outage(far, proxy, transport):
    """An ack that meets a broken line is asked again: the message is not handed out once more."""
    subscription = await far.subscribe(QUEUE, slots=10)
    await publish(far, message(1), message(2))
    got = await take(subscription, 2)
    proxy.refuse()
    proxy.cut()
    settling = asyncio.ensure_future(subscription.settle([Ack(delivery) for delivery in got]))
    await asyncio.sleep(0)
    proxy.clear()
    async with asyncio.timeout(PATIENCE):
        assert list(await settling) == [Settled.DONE] * 2
    assert (await transport.depth(["jobs"]))["jobs"].in_flight == 0


async def test_one_silent_connection_makes_all_others_suspicious(far, proxy):
    """What was taken over a new one is not settled late, its lease run out, for want of an answer on an old one."""
    subscription = await far.subscribe(QUEUE, slots=10)
    await publish(far, message(1), message(2))
    got = await take(subscription, 2)
    assert list(await subscription.settle([Ack(got[0])])) == [Settled.DONE]
    proxy.strand()
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(TransportUnavailable):
            await subscription.receive(1, 0.0)
    async with asyncio.timeout(far._settings.timeout):
        assert list(await subscription.settle([Ack(got[1])])) == [Settled.DONE]


async def test_a_settlement_without_an_answer_is_unknown_and_never_raises(far, proxy):
    """When the outage lasts, its outcome is not known; extending likewise."""
    subscription = await far.subscribe(QUEUE, slots=10)
    await publish(far, message())
    got = await take(subscription)
    proxy.freeze()
    async with asyncio.timeout(PATIENCE):
        assert list(await subscription.settle([Ack(got[0])])) == [Settled.UNKNOWN]
        assert list(await subscription.extend(got)) == [Settled.UNKNOWN]
    proxy.clear()


async def test_what_a_lost_answer_had_claimed_comes_back_at_once(far, proxy, transport):
    """A claim whose answer was lost is undone with the next one: no lease is waited for, no death counted."""
    subscription = await far.subscribe(QUEUE, slots=10)
    assert list(await subscription.receive(1, 0.0)) == []
    claims = far._links.claims
    good = claims.run

    async def lose_the_answer(work):
        """The server does it, and the answer never comes."""
        await good(work)
        claims.run = good
        raise link.faults.OutcomeUnknown("as the test wants it")

    await publish(transport, message())
    claims.run = lose_the_answer
    with pytest.raises(TransportUnavailable):
        await subscription.receive(1, 0.0)
    assert (await transport.depth(["jobs"]))["jobs"].in_flight == 1
    (delivery,) = await take(subscription)
    assert delivery.deaths == 0
    assert list(await subscription.settle([Ack(delivery)])) == [Settled.DONE]


async def test_a_line_that_is_dead_for_good_is_given_up(far, proxy, transport):
    """Open connections that swallow everything are found by their silence, the listener's too."""
    subscription = await far.subscribe(QUEUE, slots=10)
    await publish(far, message(1))
    assert await take(subscription)
    proxy.strand()
    await publish(transport, message(2))
    assert [delivery.id for delivery in await take(subscription)] == ["m2"]
    await publish(far, message(3))
    assert [delivery.id for delivery in await take(subscription)] == ["m3"]


async def test_connecting_to_nobody_names_the_server_without_its_password(tmp_path, proxy):
    """The address is in the error, the password is not."""
    url = f"postgresql://worker:geheim@127.0.0.1:{proxy.port}/nowhere"
    proxy.refuse()
    made = registry.create("jobs", url, {"timeout": 1.0}, base=tmp_path)
    with pytest.raises(TransportUnavailable, match="worker:") as caught:
        await made.connect()
    assert "geheim" not in str(caught.value)
    proxy.clear()
    with pytest.raises(TransportUnavailable, match="does not exist"):
        await made.connect()
    await made.close()


async def test_the_system_watches_the_line(far):
    """A machine that is gone without a word is noticed in seconds, not in the system's quarter of an hour."""

    async def look(connection):
        line = connection._transport.get_extra_info("socket")
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000

    await far._links.publishes.run(look)
