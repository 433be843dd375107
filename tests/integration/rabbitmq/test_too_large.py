"""A broker that takes less than the settings say: what is too large is refused, and keeps nothing else from being sent."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.brokers.rabbitmq import OwnRabbitMQ
from tests.integration.rabbitmq.conftest import QUEUE, make, message
from worker.messaging.transport import OutcomeKind

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(120)]

LIMIT = 100_000
LARGE = b"x" * (LIMIT + 1)


@pytest.fixture(scope="module")
def own(private_broker) -> OwnRabbitMQ:
    broker = private_broker("rabbitmq")
    broker.evaluate(f"application:set_env(rabbit, max_message_size, {LIMIT}).")
    broker.evaluate(f"persistent_term:put(max_message_size, {LIMIT}).")  # where the broker looks
    return broker


@pytest.fixture
async def transport(own: OwnRabbitMQ) -> AsyncIterator:
    transport = make(own.url, heartbeat=10)
    await transport.connect()
    await transport.setup([QUEUE])
    yield transport
    await transport.close()


async def test_what_is_too_large_is_refused_and_costs_others_nothing_from_then_on(transport) -> None:
    """The broker closes the channel and says why: the message is refused for good, and what is sent beside it another time is taken."""
    (first,) = await transport.publish([message("large", body=LARGE)])
    assert first.kind is OutcomeKind.REFUSED
    assert f"the broker takes {LIMIT} at most" in first.detail
    outcomes = await transport.publish([message("a"), message("large", body=LARGE), message("b")])
    assert [one.kind for one in outcomes] == [
        OutcomeKind.ACCEPTED,
        OutcomeKind.REFUSED,
        OutcomeKind.ACCEPTED,
    ]
    (edge,) = await transport.publish([message("edge", body=LARGE[:LIMIT])])
    assert edge.accepted


async def test_what_was_under_way_beside_it_is_unknown(transport) -> None:
    """The broker does not say what of it was taken; it is sent again under the same id."""
    outcomes = await transport.publish([message("a"), message("large", body=LARGE), message("b")])
    assert outcomes[1].kind is OutcomeKind.REFUSED
    assert outcomes[2].kind is OutcomeKind.UNKNOWN
    assert all(one.accepted for one in await transport.publish([message("a"), message("b")]))


async def test_a_next_attempt_that_is_too_large_is_refused(transport) -> None:
    """It was taken once and has grown: no attempt of it can be sent, ever."""
    (outcome,) = await transport.send([message("large", body=LARGE)])
    assert outcome.kind is OutcomeKind.REFUSED
