"""The subscription that claims: neither a pause nor a stop waits for a claim that takes long, and none is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from transports import subscription as subscriptions
from transports.subscription import Claimed, ClaimingSubscription
from worker.errors import TransportUnavailable
from worker.messaging.transport import Delivery, Release, Settled, Settlement


class Slow:
    """A broker whose claims end when the test says so."""

    lease = 60.0

    def __init__(self) -> None:
        self.claims: list[asyncio.Future[Claimed]] = []
        self.settled: list[Settlement] = []
        self.let_go_of = 0

    def claim(self, limit: int, wait: float) -> asyncio.Future[Claimed]:
        self.claims.append(asyncio.get_running_loop().create_future())
        return self.claims[-1]

    def settle(self, items: Sequence[Settlement]) -> asyncio.Future[Sequence[Settled]]:
        self.settled += items
        answer: asyncio.Future[Sequence[Settled]] = asyncio.get_running_loop().create_future()
        answer.set_result([Settled.DONE] * len(items))
        return answer

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        raise TransportUnavailable("away")

    async def let_go(self) -> None:
        self.let_go_of += 1

    def waiting(self, waits: bool) -> None:
        pass


MESSAGE = Delivery(queue="q", id="1", body=b"", receipt=None)


@pytest.fixture
def broker() -> Slow:
    return Slow()


@pytest.fixture
async def subscription(broker: Slow, monkeypatch: pytest.MonkeyPatch) -> ClaimingSubscription:
    monkeypatch.setattr(subscriptions, "_LONGEST_CLAIM", 0.01)
    return ClaimingSubscription("q", broker, lambda closed: None)


async def receiving(subscription: ClaimingSubscription, broker: Slow) -> asyncio.Task[Sequence[Delivery]]:
    task = asyncio.ensure_future(subscription.receive(1, 0.0))
    while not broker.claims:
        await asyncio.sleep(0)
    return task


@pytest.mark.parametrize("how", ["pause", "close", "cancel"])
async def test_what_a_slow_claim_brings_after_it_is_unwanted_goes_back_when_it_comes(
    how: str, subscription: ClaimingSubscription, broker: Slow
) -> None:
    """A long poll of 20 s must hold up neither."""
    task = await receiving(subscription, broker)
    if how == "cancel":
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        await (subscription.pause() if how == "pause" else subscription.close(0.0))
        assert broker.let_go_of == 1
    assert not broker.claims[0].done() and not broker.settled
    broker.claims[0].set_result(Claimed([MESSAGE], None))
    while not broker.settled:
        await asyncio.sleep(0)
    assert broker.settled == [Release(MESSAGE)]
    if how != "cancel":
        assert await task == []


async def test_a_claim_that_fails_after_it_is_unwanted_is_nobodys(
    subscription: ClaimingSubscription, broker: Slow
) -> None:
    task = await receiving(subscription, broker)
    await subscription.pause()
    broker.claims[0].set_exception(TransportUnavailable("away"))
    with pytest.raises(TransportUnavailable):
        await task
    assert not broker.settled


async def test_a_broker_that_does_not_answer_leaves_a_renewal_unknown(
    subscription: ClaimingSubscription,
) -> None:
    assert list(await subscription.extend([MESSAGE])) == [Settled.UNKNOWN]
