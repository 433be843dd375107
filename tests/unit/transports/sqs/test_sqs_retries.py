"""A retry on a FIFO queue waits in its place: the service hides the message, and hands out nothing of its group."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.transports.sqs.test_sqs_polls import LEASE, Service, receive, service, transport
from transports.sqs.settings import LONGEST_LEASE
from transports.sqs.transport import SqsTransport
from worker.messaging.transport import Ack, Again, Delivery, Outgoing, QueueSpec, Settled

__all__ = ["service", "transport"]

SPEC = QueueSpec(name="q", types=("T",), keyed=True)


def following(delivery: Delivery, delay: float = 0.0, **changes: Any) -> Again:
    facts: dict[str, Any] = {"queue": "q", "id": delivery.id, "type": "T", "body": b"2", "key": delivery.key}
    return Again(delivery, Outgoing(**(facts | {"delay": delay} | changes)))


@pytest.fixture
async def taken(transport: SqsTransport, service: Service) -> tuple[Any, Delivery]:
    """A subscription, and the head of a group of two that it has handed out."""
    subscription = await transport.subscribe(SPEC, slots=10)
    receiving = receive(subscription)
    await service.asked(1)
    service.answer(1, 2)
    (head,) = await receiving
    service.held.clear()
    return subscription, head


async def held(service: Service, handle: str, seconds: int) -> None:
    async with asyncio.timeout(60):
        while (handle, seconds) not in [entry for request in service.held for entry in request]:
            await asyncio.sleep(0)


async def test_the_next_attempt_is_hidden_for_its_delay_and_a_lease_and_what_is_behind_it_goes_back(
    taken: tuple[Any, Delivery], service: Service
) -> None:
    subscription, head = taken
    assert list(await subscription.settle([following(head, 300.0)])) == [Settled.DONE]
    await held(service, "h1", 300 + LEASE)
    await held(service, "h2", 0)
    assert list(await subscription.settle([Ack(head)])) == [Settled.LOST]
    assert not subscription.holding.has_some and not service.removed


async def test_the_next_attempt_is_handed_out_when_it_is_due_and_acked_as_the_message(
    taken: tuple[Any, Delivery], service: Service
) -> None:
    subscription, head = taken
    await subscription.settle([following(head)])
    (again,) = await subscription.receive(10, 300.0)
    assert (again.id, again.key, again.body, again.redelivered) == (head.id, head.key, b"2", False)
    assert list(await subscription.settle([Ack(again)])) == [Settled.DONE]
    assert service.removed == ["h1"]


async def test_an_attempt_that_cannot_be_hidden_is_not_handed_out_here(
    taken: tuple[Any, Delivery], service: Service
) -> None:
    """Another has the message by now, or will."""
    subscription, head = taken
    service.refuses = lambda handle: handle == "h1"
    assert list(await subscription.settle([following(head)])) == [Settled.LOST]
    assert not subscription.holding.has_some


async def test_while_its_queue_is_paused_an_attempt_stays_held(
    taken: tuple[Any, Delivery], service: Service, transport: SqsTransport
) -> None:
    subscription, head = taken
    subscription.holding._retries._every = 0.01  # how often it looks
    await subscription.pause()
    await subscription.settle([following(head)])
    service.held.clear()
    async with asyncio.timeout(60):
        while not service.held:
            await asyncio.sleep(0.001)
    await subscription.resume()
    assert [delivery.body for delivery in await subscription.receive(10, 300.0)] == [b"2"]


async def test_a_stop_gives_back_for_the_rest_of_the_delay(
    taken: tuple[Any, Delivery], service: Service
) -> None:
    subscription, head = taken
    await subscription.settle([following(head, 300.0)])
    await subscription.close(1.0)
    await held(service, "h1", 300)


async def test_no_delay_goes_beyond_what_the_service_allows(
    taken: tuple[Any, Delivery], service: Service
) -> None:
    """Twelve hours from its receipt on."""
    subscription, head = taken
    head.receipt.since -= LONGEST_LEASE - 1000
    assert list(await subscription.settle([following(head, 5000.0)])) == [Settled.DONE]
    ((_, seconds),) = [entry for request in service.held for entry in request if entry[0] == "h1"]
    assert 900 < seconds < 1000


@pytest.mark.parametrize("changes", [{"key": "other"}, {"queue": "elsewhere"}])
async def test_what_belongs_elsewhere_is_not_swapped(
    taken: tuple[Any, Delivery], service: Service, changes: dict[str, Any]
) -> None:
    subscription, head = taken
    assert list(await subscription.settle([following(head, **changes)])) == [Settled.UNKNOWN]
    assert not service.held
