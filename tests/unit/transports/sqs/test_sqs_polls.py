"""Polls of an idle queue, which cannot be taken back: what they bring is never hidden for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import pytest

from transports.sqs import polls
from transports.sqs.settings import Settings
from transports.sqs.subscription import SqsSubscription
from transports.sqs.transport import SqsTransport
from worker.errors import TransportUnavailable
from worker.messaging.transport import Ack, QueueSpec, Settled

LEASE = 60
CONFIGURED = Settings(region="r", shown="sqs://r", fifo="all", lease=LEASE, wait=20, timeout=0.5)


class Service:
    """Takes everything; a poll waits until the test answers it."""

    settings = CONFIGURED
    is_open = True

    def __init__(self) -> None:
        self.polls: list[tuple[Mapping[str, Any], asyncio.Future[Any]]] = []
        self.held: list[list[tuple[str, int]]] = []
        self.removed: list[str] = []
        self.refuses: Callable[[str], bool] = lambda handle: False
        self.away = False

    async def call(self, link: Any, action: str, **arguments: Any) -> Any:
        if action == "ReceiveMessage":
            answer = asyncio.get_running_loop().create_future()
            self.polls.append((arguments, answer))
            return await answer
        entries = arguments["Entries"]
        if action == "DeleteMessageBatch":
            self.removed += [each["ReceiptHandle"] for each in entries]
        else:
            self.held.append([(each["ReceiptHandle"], each["VisibilityTimeout"]) for each in entries])
            if self.away:
                raise self.unavailable("away")
        bad = {each["Id"] for each in entries if self.refuses(each["ReceiptHandle"])}
        return {
            "Successful": [{"Id": each["Id"]} for each in entries if each["Id"] not in bad],
            "Failed": [{"Id": place, "SenderFault": True, "Code": "MessageNotInflight"} for place in bad],
        }

    async def ask(self, action: str, **arguments: Any) -> Any:
        return {"QueueUrl": "http://s/q.fifo"} if action == "GetQueueUrl" else {"Attributes": {}}

    async def close(self) -> None:
        self.is_open = False

    def unavailable(self, error: object) -> TransportUnavailable:
        return TransportUnavailable(str(error))

    async def asked(self, number: int) -> Mapping[str, Any]:
        """What the poll of this number asks for, once it is out."""
        while len(self.polls) < number:
            await asyncio.sleep(0)
        return self.polls[number - 1][0]

    def answer(self, *numbers: int, group: str = "g") -> None:
        """Answer the newest poll."""
        told = {"MessageGroupId": group, "ApproximateReceiveCount": "1"}
        messages = [
            {"MessageId": f"m{n}", "ReceiptHandle": f"h{n}", "Body": f"{n}", "Attributes": told}
            for n in numbers
        ]
        self.polls[-1][1].set_result({"Messages": messages})


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def transport(service: Service) -> AsyncIterator[SqsTransport]:
    made = SqsTransport("sqs", CONFIGURED, lambda: 0.0)
    made.connection = service  # type: ignore[assignment]
    made._make()
    yield made
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


@pytest.fixture
async def subscription(transport: SqsTransport) -> SqsSubscription:
    return await transport.subscribe(QueueSpec(name="q", types=("T",), keyed=True), slots=10)


def times(asked: Mapping[str, Any]) -> tuple[int, int]:
    return asked["WaitTimeSeconds"], asked["VisibilityTimeout"]


def receive(subscription: SqsSubscription) -> asyncio.Task[Sequence[Any]]:
    return asyncio.ensure_future(subscription.receive(10, 300.0))


async def test_a_poll_that_a_stop_breaks_off_hides_what_it_brings_for_seconds_only(
    transport: SqsTransport, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease does not count there: no worker is left that could give it back."""
    monkeypatch.setattr("transports.sqs.transport._LINGER", 0.0)
    subscription = await transport.subscribe(QueueSpec(name="q", types=("T",), keyed=True), slots=10)
    receiving = receive(subscription)
    wait, hidden = times(await service.asked(1))
    await transport.close()
    assert not await receiving and service.polls[0][1].cancelled()
    assert wait == 20 and hidden <= 5 < LEASE


async def test_what_a_poll_of_an_idle_queue_brings_is_held_for_a_lease_before_it_is_handed_out(
    subscription: SqsSubscription, service: Service
) -> None:
    receiving = receive(subscription)
    await service.asked(1)
    service.answer(1, 2)
    (head,) = await receiving
    assert sorted(service.held[0]) == [("h1", LEASE), ("h2", LEASE)]
    assert head.receipt.until - asyncio.get_running_loop().time() > LEASE - 5


async def test_while_messages_flow_a_poll_holds_at_once_and_ends_before_a_stop_would_break_it_off(
    subscription: SqsSubscription, service: Service
) -> None:
    """Nothing more is paid for, and nothing is hidden."""
    receiving = receive(subscription)
    await service.asked(1)
    service.answer(1)
    await receiving
    service.held.clear()
    receiving = receive(subscription)
    assert times(await service.asked(2)) == (1, LEASE)
    service.answer(2, group="h")
    assert [delivery.id for delivery in await receiving] == ["m2"] and not service.held
    receiving = receive(subscription)
    await service.asked(3)
    service.answer()
    wait, hidden = times(await service.asked(4))
    assert wait == 20 and hidden <= 5
    receiving.cancel()


async def test_what_cannot_be_held_is_not_handed_out(subscription: SqsSubscription, service: Service) -> None:
    """It was late: another may have it by now."""
    service.refuses = lambda handle: handle == "h1"
    receiving = receive(subscription)
    await service.asked(1)
    service.polls[-1][1].set_result(
        {
            "Messages": [
                {
                    "MessageId": f"m{n}",
                    "ReceiptHandle": f"h{n}",
                    "Body": "",
                    "Attributes": {"MessageGroupId": f"g{n}"},
                }
                for n in (1, 2)
            ]
        }
    )
    assert [delivery.id for delivery in await receiving] == ["m2"]


async def test_what_is_not_known_to_be_held_is_given_back(
    subscription: SqsSubscription, service: Service
) -> None:
    service.away = True
    receiving = receive(subscription)
    await service.asked(1)
    service.answer(1)
    while len(service.held) < 2:
        await asyncio.sleep(0)
    assert service.held[:2] == [[("h1", LEASE)], [("h1", 0)]] and not receiving.done()
    receiving.cancel()


async def test_what_comes_after_a_pause_goes_back_and_is_not_held(
    subscription: SqsSubscription, service: Service
) -> None:
    receiving = receive(subscription)
    await service.asked(1)
    await subscription.pause()
    service.answer(1, 2)
    while sum(map(len, service.held)) < 2:
        await asyncio.sleep(0)
    assert [entry for request in service.held for entry in request] == [("h2", 0), ("h1", 0)]
    receiving.cancel()


async def test_a_successor_whose_lease_is_half_over_is_given_back_and_not_handed_out(
    subscription: SqsSubscription, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its renewal failed while its head was handled; a handler that got it now could lose it before the next renewal."""
    monkeypatch.setattr(polls, "_BRIEF", LEASE)
    receiving = receive(subscription)
    await service.asked(1)
    service.answer(1, 2)
    (head,) = await receiving
    head.receipt.behind[0].receipt.until -= LEASE * 0.6
    assert list(await subscription.settle([Ack(head)])) == [Settled.DONE]
    assert not subscription.holding.has_some
    while not service.held:
        await asyncio.sleep(0)
    assert service.removed == ["h1"] and service.held == [[("h2", 0)]]


async def test_pollers_grow_while_polls_come_back_full_and_one_is_left_when_the_queue_is_idle(
    subscription: SqsSubscription, service: Service
) -> None:
    """As many as are configured at most; each further one costs requests."""

    async def taken(count: int) -> int:
        """Ask for more than polls may bring, answer all that are out, and say how many there were."""
        receiving = asyncio.ensure_future(subscription.receive(100, 300.0))
        await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        out = [answer for _, answer in service.polls if not answer.done()]
        for number, answer in enumerate(out):
            facts = {"ReceiptHandle": "h", "Body": "b"}
            messages = [{"MessageId": f"m{number}-{n}", **facts} for n in range(count)]
            answer.set_result({"Messages": messages})
        if count:
            await receiving
        else:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)
        return len(out)

    assert [await taken(10) for _ in range(6)] == [1, 2, 4, 4, 4, 4]
    assert await taken(0) == 4
    assert await taken(0) == 1
