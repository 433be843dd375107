"""The score of these tests: bugs that adapters of SQS have, planted here, are caught by the test that is there for each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.conformance.catching import CATCHES
from tests.unit.transports.sqs import test_sqs_accounts as accounts
from tests.unit.transports.sqs import test_sqs_polls as polls
from transports.sqs import polls as product
from transports.sqs.acknowledging import Acknowledger
from transports.sqs.holding import Holding
from transports.sqs.publishing import Publisher
from transports.sqs.subscription import SqsSubscription
from transports.sqs.transport import SqsTransport
from worker.messaging.transport import QueueSpec, Settled


@pytest.fixture
def service() -> polls.Service:
    return polls.Service()


@pytest.fixture
def transport(service: polls.Service) -> SqsTransport:
    made = SqsTransport("sqs", polls.CONFIGURED, lambda: 0.0)
    made.connection = service  # type: ignore[assignment]
    made._make()
    return made


@pytest.fixture
async def subscription(transport: SqsTransport) -> SqsSubscription:
    return await transport.subscribe(QueueSpec(name="q", types=("T",), keyed=True), slots=10)


async def test_a_long_poll_that_hides_for_a_lease_is_caught(
    transport: SqsTransport, service: polls.Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(product, "_BRIEF", polls.LEASE)
    with pytest.raises(CATCHES):
        await polls.test_a_poll_that_a_stop_breaks_off_hides_what_it_brings_for_seconds_only(
            transport, service, monkeypatch
        )


async def test_a_long_poll_that_a_pause_cancels_is_caught(
    subscription: SqsSubscription, service: polls.Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the service hands out to it would be hidden, and could not be given back."""
    good = Holding.let_go

    async def cancel(holding: Holding) -> None:
        for poll in holding.polls.under_way:
            poll.cancel()
        await good(holding)

    monkeypatch.setattr(Holding, "let_go", cancel)
    with pytest.raises((*CATCHES, asyncio.InvalidStateError)):
        await polls.test_what_comes_after_a_pause_goes_back_and_is_not_held(subscription, service)


async def test_a_failed_renewal_that_is_ignored_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ignore(settling: Acknowledger, holds: Sequence[Any]) -> Sequence[Settled]:
        for hold in holds:
            hold.receipt.until += hold.seconds
        return [Settled.DONE] * len(holds)

    monkeypatch.setattr(Acknowledger, "_extend", ignore)
    with pytest.raises(CATCHES):
        await accounts.test_a_renewal_that_fails_is_told_and_does_not_lengthen_the_lease()


async def test_a_failed_renewal_that_is_handed_out_is_caught(
    subscription: SqsSubscription, service: polls.Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hand_out(holding: Holding, arrived: Sequence[Any]) -> list[Any]:
        await holding.extend(arrived)
        for delivery in arrived:
            delivery.receipt.settled = False
        return list(arrived)

    monkeypatch.setattr(Holding, "_kept_on", hand_out)
    with pytest.raises(CATCHES):
        await polls.test_what_cannot_be_held_is_not_handed_out(subscription, service)


async def test_an_entry_of_a_publish_that_is_in_no_list_and_counts_as_taken_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good = Publisher._judged
    monkeypatch.setattr(Publisher, "_judged", lambda self, queue, *rest: good(self, queue, *_named(*rest)))
    with pytest.raises(CATCHES):
        await accounts.test_an_entry_that_the_answer_does_not_name_is_unknown()


async def test_an_ack_that_is_in_no_list_and_counts_as_done_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good = accounts.Service.call

    async def named(service: accounts.Service, link: Any, action: str, **arguments: Any) -> Any:
        answer = await good(service, link, action, **arguments)
        places = [(int(each["Id"]), None) for each in arguments["Entries"]]
        return _named(places, answer)[1]

    monkeypatch.setattr(accounts.Service, "call", named)
    with pytest.raises(CATCHES):
        await accounts.test_an_ack_that_the_answer_does_not_name_is_asked_for_again()


def _named(entries: Sequence[Any], answer: Mapping[str, Any]) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """As code does that only looks whether an entry is among the failed: all else has succeeded."""
    failed = {each["Id"] for each in answer.get("Failed", ())}
    done = [{"Id": str(place)} for place, _ in entries if str(place) not in failed]
    return entries, {**answer, "Successful": done}
