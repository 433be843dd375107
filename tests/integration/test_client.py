"""The client on every broker: what it sends, a worker handles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.wiring.clients.shop import OrderPlaced, PlaceOrder, settings, shop
from worker import Client, Sent
from worker.runtime.options import ConsumeOptions
from worker.wiring.consuming import make_consumers

BROKERS = ("rabbitmq", "postgres", "kafka", "sqs", "pubsub")


@pytest.mark.broker
@pytest.mark.parametrize("broker", BROKERS)
async def test_what_a_client_sends_is_handled(
    broker: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """One by one, many at once, commands and events; it is the broker that has them when ``send`` returns."""
    seen: list[Any] = []
    async with Client(shop(seen), settings(tmp_path, request.getfixturevalue(f"{broker}_url"))) as client:
        envelope = await client.send(PlaceOrder("0"))
        assert envelope.get(Sent) == Sent("here", "shop-place-order")
        await client.send(OrderPlaced("0"))
        await client.send_many(PlaceOrder(str(number)) for number in range(1, 50))
        service = client._desk.service
        assert service is not None
        consumers = make_consumers(service, ConsumeOptions(burst=True, graceful_timeout=5.0))
        await consumers.control.look()
        await consumers.worker.run(5.0, burst=True)
        await consumers.close()
        assert (await client.status(envelope.id, wait=30)).status == "done"
    assert sorted(seen, key=repr) == sorted(
        [OrderPlaced("0"), *(PlaceOrder(str(number)) for number in range(50))], key=repr
    )
