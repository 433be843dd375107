"""Holding more messages ahead, as quick handlers want it, while a backlog flows."""

from __future__ import annotations

import pytest

from tests.integration.rabbitmq.conftest import PATIENCE, QUEUE, make, message
from worker.messaging.transport import Ack

pytestmark = [pytest.mark.broker, pytest.mark.usefixtures("short_ladder")]


@pytest.mark.parametrize("queue_type", ["quorum", "classic"])
async def test_who_wants_more_ahead_gets_a_backlog_in_order_and_nothing_as_handed_out_before(
    rabbitmq_url: str, queue_type: str
) -> None:
    """What was under way when the window was changed would come late, and be asked for among suspects."""
    transport = make(rabbitmq_url, queue_type=queue_type)
    await transport.connect()
    try:
        await transport.setup([QUEUE])
        await transport.publish([message(number) for number in range(600)])
        subscription = await transport.subscribe(QUEUE, slots=10)
        came, limit = [], 10
        while len(came) < 600:
            got = await subscription.receive(limit, PATIENCE)
            came.extend(got)
            await subscription.settle([Ack(delivery) for delivery in got])
            limit = min(limit * 2, 160) if len(got) == limit else limit
        assert [delivery.id for delivery in came] == [f"m{number}" for number in range(600)]
        assert not [delivery.id for delivery in came if delivery.redelivered]
        await subscription.close(1.0)
    finally:
        await transport.close()
