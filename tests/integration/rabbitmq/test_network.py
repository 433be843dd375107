"""A network that breaks: nothing is lost, and consuming goes on without a human."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.rabbitmq.conftest import (
    PATIENCE,
    QUEUE,
    Flow,
    make,
    message,
    publish_surely,
)
from tests.proxy.proxy import Proxy
from worker.errors import TransportUnavailable
from worker.messaging.transport import Ack, OutcomeKind, Release, Settled

pytestmark = [pytest.mark.broker, pytest.mark.fault, pytest.mark.usefixtures("short_ladder")]


@pytest.mark.parametrize("reset", [True, False], ids=["reset", "in order"])
async def test_cut_connections_lose_nothing(flow: Flow, proxy: Proxy, reset: bool) -> None:
    """F04: while messages flow, every connection is cut again and again; all that was accepted comes."""
    total = 600

    async def produce(first: int) -> None:
        for number in range(first, total, 20):
            await publish_surely(flow.transport, number)

    async def disturb() -> None:
        for _ in range(5):
            before = len(flow.came)
            async with asyncio.timeout(PATIENCE):
                while len(flow.came) < min(before + 50, total):
                    await asyncio.sleep(0.005)
            proxy.cut(reset=reset)

    await asyncio.gather(disturb(), *(produce(first) for first in range(20)))
    await publish_surely(flow.transport, "after")
    await flow.until("after")
    async with asyncio.timeout(PATIENCE):
        while len(flow.came) < total + 1:
            await asyncio.sleep(0.01)
    twice = sum(count - 1 for count in flow.came.values())
    assert twice <= 5 * (20 + 40), "more came twice than was under way at the cuts"


@pytest.mark.parametrize("fault", ["freeze", "strand"])
async def test_a_half_open_connection_is_noticed_and_replaced(flow: Flow, proxy: Proxy, fault: str) -> None:
    """F05: a connection that swallows everything is given up after some heartbeats, and a new one consumes."""
    await publish_surely(flow.transport, 1)
    await flow.until(1)
    getattr(proxy, fault)()
    if fault == "freeze":
        async with asyncio.timeout(PATIENCE):
            while not flow.errors:
                await asyncio.sleep(0.01)
        assert "no sign of life" in flow.errors[0]
        proxy.clear()
    await publish_surely(flow.transport, 2)
    await flow.until(2)


async def test_publishing_while_the_broker_is_away_fails_soon_and_comes_back(
    flow: Flow, proxy: Proxy
) -> None:
    """C30: while no broker answers, a publish raises within seconds, naming the broker without its password."""
    proxy.refuse()
    proxy.cut()
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(TransportUnavailable, match=r"amqp://guest:\*\*\*@"):
        while True:
            (outcome,) = await flow.transport.publish([message(1)])
            assert outcome.kind is OutcomeKind.UNKNOWN
    assert loop.time() - began < 30
    with pytest.raises(TransportUnavailable):
        await flow.transport.ping()
    proxy.accept()
    await publish_surely(flow.transport, 2)
    await flow.until(2)
    await flow.transport.ping()


async def test_a_frozen_publish_has_an_unknown_fate_when_its_time_is_up(
    proxied_url: str, proxy: Proxy
) -> None:
    """F18: a publish that is never confirmed ends as unknown, at its deadline."""
    transport = make(proxied_url, publish_timeout=2, heartbeat=30)
    await transport.connect()
    await transport.setup([QUEUE])
    (outcome,) = await transport.publish([message(0)])
    assert outcome.accepted
    proxy.freeze()
    outcomes = await transport.publish([message(1), message(2)])
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.UNKNOWN] * 2
    assert "2 s" in outcomes[0].detail
    proxy.cut()
    proxy.clear()
    await transport.close()


async def test_receipts_of_a_lost_connection_reach_nobodys_message(transport, proxy: Proxy) -> None:
    """C34: after a reconnect the old deliveries are lost to their holder, and come again."""
    subscription = await transport.subscribe(QUEUE, slots=10)
    await transport.publish([message(number) for number in range(3)])
    old: list = []
    while len(old) < 3:
        old.extend(await subscription.receive(3, 5.0))
    proxy.cut()
    fresh: list = []
    async with asyncio.timeout(PATIENCE):
        while len(fresh) < 3:
            try:
                fresh.extend(await subscription.receive(3, 5.0))
            except TransportUnavailable:
                await asyncio.sleep(0.02)
    late = [Ack(old[0]), Release(old[1]), Release(old[2], delay=1.0)]
    assert list(await subscription.settle(late)) == [Settled.LOST] * 3
    assert list(await subscription.settle([Ack(delivery) for delivery in fresh])) == [Settled.DONE] * 3
    assert list(await subscription.receive(1, 0.2)) == []


async def test_what_was_not_started_is_asked_back_when_the_connection_is_lost(
    transport, proxy: Proxy
) -> None:
    """All of it comes again: what this worker has not begun it must not begin any more, or it is handled twice."""
    subscription = await transport.subscribe(QUEUE, slots=10)
    await transport.publish([message(number) for number in range(3)])
    held: list = []
    while len(held) < 3:
        held.extend(await subscription.receive(3, 5.0))
    asked: list[str] = []
    subscription.recalled = lambda: asked.extend(delivery.id for delivery in held)
    proxy.cut()
    again: list = []
    async with asyncio.timeout(PATIENCE):
        while len(again) < 3:
            try:
                again.extend(await subscription.receive(3, 5.0))
            except TransportUnavailable:
                await asyncio.sleep(0.02)
            else:
                assert asked == ["m0", "m1", "m2"]
    assert sorted(delivery.id for delivery in again) == ["m0", "m1", "m2"]


async def test_several_hosts_are_tried_in_order(rabbitmq_url: str, proxy: Proxy) -> None:
    """A host that refuses connections is passed over."""
    login, _, rest = rabbitmq_url.rpartition("@")
    with Proxy(1) as dead:
        dead.refuse()
        transport = make(f"{login}@127.0.0.1:{dead.port},{rest}")
        await transport.connect()
        await transport.ping()
        await transport.close()


async def test_a_slow_network_delivers_all_the_same(flow: Flow, proxy: Proxy) -> None:
    """Frames that come in small pieces are put together again."""
    proxy.throttle(200_000)
    body = bytes(range(256)) * 400
    for number in range(3):
        await publish_surely(flow.transport, number, body=body)
        await flow.until(number)
    proxy.clear()
