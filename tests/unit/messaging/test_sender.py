"""The sender: batches what is sent at once, and knows the fate of each message within a bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import pytest

from worker.errors import DatabaseUnavailable, PublishFailed, TransportUnavailable
from worker.messaging.abilities import Confirms
from worker.messaging.sender import FULL, Sender
from worker.messaging.transport import ACCEPTED, Features, Outcome, OutcomeKind, Outgoing

UNROUTABLE = Outcome(OutcomeKind.UNROUTABLE)
Answer = Callable[[Sequence[Outgoing]], Awaitable[Sequence[Outcome]]]


async def accept(batch: Sequence[Outgoing]) -> Sequence[Outcome]:
    return [ACCEPTED] * len(batch)


class FakeTransport:
    """Notes the ids of each batch and answers as told, by turns; the last answer stays."""

    name = "fake"

    def __init__(self, *answers: Answer, max_batch: int = 100, max_delay: float = 10.0) -> None:
        self.features = Features(max_batch=max_batch, max_delay=max_delay)
        self.batches: list[list[str]] = []
        self._answers = list(answers) or [accept]

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        self.batches.append([outgoing.id for outgoing in batch])
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return await answer(batch)


class PostingTransport(FakeTransport):
    """Writes at once while ``open``; what was written at once is noted as ``posted``, too."""

    def __init__(self, *answers: Answer, **options: Any) -> None:
        super().__init__(*answers, **options)
        self.open = True
        self.posted: list[list[str]] = []

    def post(self, batch: Sequence[Outgoing]) -> Confirms | None:
        if not self.open:
            return None
        ids = [outgoing.id for outgoing in batch]
        self.batches.append(ids)
        self.posted.append(ids)
        return lambda: self._answers[0](batch)


class Gate:
    """An answer that waits until it is opened."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()

    async def __call__(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        await self.opened.wait()
        return [ACCEPTED] * len(batch)


def outgoing(name: object) -> Outgoing:
    return Outgoing(queue="q", id=str(name), type="Go", body=b"{}")


def sender(transport: FakeTransport, **options: Any) -> Sender:
    return Sender(transport, **options)  # type: ignore[arg-type]


async def never(batch: Sequence[Outgoing]) -> Sequence[Outcome]:
    await asyncio.Event().wait()
    return []


def raising(error: Exception) -> Answer:
    async def answer(batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        raise error

    return answer


def answering(*outcomes: Outcome) -> Answer:
    async def answer(batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        return outcomes

    return answer


class FakeParking:
    """Notes what is parked."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.down = False

    async def park(self, transport: str, batch: Sequence[Outgoing], longest: float) -> None:
        if self.down:
            raise DatabaseUnavailable("down")
        self.kept += [f"{transport} {one.id} {longest:g}" for one in batch]


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_is_sent_in_one_turn_leaves_in_one_batch() -> None:
    """Concurrent posts share a broker batch, in the order in which they came."""
    transport = FakeTransport()
    the_sender = sender(transport)
    await asyncio.gather(*(the_sender.send(outgoing(n)) for n in range(5)))
    assert transport.batches == [["0", "1", "2", "3", "4"]]


async def test_a_single_message_waits_for_no_company() -> None:
    """Each of two sends in turn is a batch of its own."""
    transport = FakeTransport()
    the_sender = sender(transport)
    await the_sender.send(outgoing(1))
    await the_sender.send(outgoing(2))
    assert transport.batches == [["1"], ["2"]]


async def test_batches_grow_while_others_are_under_way() -> None:
    """With as many batches under way as may be, what comes gathers, and leaves together when one is answered."""
    gate = Gate()
    transport = FakeTransport(gate)
    the_sender = sender(transport, parallel=2)
    tasks = []
    for n in range(5):
        tasks.append(asyncio.ensure_future(the_sender.send(outgoing(n))))
        await settle()
    assert transport.batches == [["0"], ["1"]]
    gate.opened.set()
    await asyncio.gather(*tasks)
    assert transport.batches == [["0"], ["1"], ["2", "3", "4"]]


async def test_no_batch_is_larger_than_the_broker_takes() -> None:
    """What is too much for one batch leaves in several, in order."""
    transport = FakeTransport(max_batch=2)
    the_sender = sender(transport)
    await asyncio.gather(*(the_sender.send(outgoing(n)) for n in range(5)))
    await the_sender.send_all([outgoing(n) for n in range(5, 8)])
    assert transport.batches == [["0", "1"], ["2", "3"], ["4"], ["5", "6"], ["7"]]


async def test_sending_returns_only_after_the_confirmation() -> None:
    """A 202 that depends on it is durable."""
    gate = Gate()
    task = asyncio.ensure_future(sender(FakeTransport(gate)).send(outgoing(1)))
    await settle()
    assert not task.done()
    gate.opened.set()
    await task


@pytest.mark.parametrize(
    ("outcome", "unknown", "text"),
    [
        (
            Outcome(OutcomeKind.UNROUTABLE),
            False,
            "Go 1 to fake/q: there is no queue 'q'; run: worker setup",
        ),
        (Outcome(OutcomeKind.REFUSED, "too large"), False, "Go 1 to fake/q: refused (too large)"),
        (
            Outcome(OutcomeKind.UNKNOWN, "cut off"),
            True,
            "Go 1 to fake/q: it is not known whether it was taken; send it again under the same id (cut off)",
        ),
    ],
)
async def test_a_message_that_was_not_taken_says_why(outcome: Outcome, unknown: bool, text: str) -> None:
    """The error names message, transport and queue, and whether the fate is unknown."""
    with pytest.raises(PublishFailed) as caught:
        await sender(FakeTransport(answering(outcome))).send(outgoing(1))
    assert (str(caught.value), caught.value.unknown) == (text, unknown)


async def test_of_one_batch_each_message_has_its_own_fate() -> None:
    """A refused message does not take its neighbours with it."""
    transport = FakeTransport(answering(ACCEPTED, Outcome(OutcomeKind.REFUSED), ACCEPTED))
    the_sender = sender(transport)
    results = await asyncio.gather(*(the_sender.send(outgoing(n)) for n in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), PublishFailed, type(None)]


async def test_a_broker_that_does_not_answer_in_time_leaves_the_fate_unknown() -> None:
    """No send waits longer than the timeout."""
    with pytest.raises(PublishFailed, match=r"no answer within 0.001 s") as caught:
        await sender(FakeTransport(never), timeout=0.001).send(outgoing(1))
    assert caught.value.unknown


async def test_a_late_batch_does_not_block_the_next() -> None:
    """After the timeout the next batch may leave."""
    transport = FakeTransport(never, accept)
    the_sender = sender(transport, timeout=0.001, parallel=1)
    with pytest.raises(PublishFailed):
        await the_sender.send(outgoing(1))
    await the_sender.send(outgoing(2))
    assert transport.batches == [["1"], ["2"]]


async def test_a_broker_that_cannot_be_reached_is_said_to_every_caller() -> None:
    """None was taken; each caller of the batch gets the error."""
    transport = FakeTransport(raising(TransportUnavailable("fake does not answer")), accept)
    the_sender = sender(transport)
    results = await asyncio.gather(*(the_sender.send(outgoing(n)) for n in range(2)), return_exceptions=True)
    assert [str(result) for result in results] == ["fake does not answer"] * 2
    await the_sender.send(outgoing(3))


async def test_an_outage_in_the_middle_leaves_the_rest_unknown() -> None:
    """What the first batch took stays taken; nothing is said to have failed that may have arrived."""
    transport = FakeTransport(accept, raising(TransportUnavailable("gone")), max_batch=2)
    outcomes = await sender(transport).publish([outgoing(n) for n in range(4)])
    assert [outcome.kind for outcome in outcomes] == [
        OutcomeKind.ACCEPTED,
        OutcomeKind.ACCEPTED,
        OutcomeKind.UNKNOWN,
        OutcomeKind.UNKNOWN,
    ]


async def test_an_outage_at_the_start_of_many_is_raised() -> None:
    """None of them was taken."""
    with pytest.raises(TransportUnavailable, match="gone"):
        await sender(FakeTransport(raising(TransportUnavailable("gone")))).send_all(
            [outgoing(1), outgoing(2)]
        )


@pytest.mark.parametrize("answers", [(), (ACCEPTED,), (ACCEPTED, ACCEPTED, ACCEPTED)])
async def test_a_wrong_number_of_answers_leaves_the_fate_unknown(answers: tuple[Outcome, ...]) -> None:
    """It is not known which answer belongs to which message, and no caller waits for ever."""
    the_sender = sender(FakeTransport(answering(*answers)))
    results = await asyncio.gather(*(the_sender.send(outgoing(n)) for n in range(2)), return_exceptions=True)
    assert [isinstance(result, PublishFailed) and result.unknown for result in results] == [True, True]


async def test_a_fault_of_the_driver_comes_to_the_callers() -> None:
    """An error that a transport should not raise is not swallowed."""
    with pytest.raises(ZeroDivisionError):
        await sender(FakeTransport(raising(ZeroDivisionError()))).send(outgoing(1))


async def test_a_caller_that_goes_away_harms_no_other() -> None:
    """Its message is sent all the same; the others' fates are told."""
    gate = Gate()
    transport = FakeTransport(gate)
    the_sender = sender(transport)
    first, second = (asyncio.ensure_future(the_sender.send(outgoing(n))) for n in range(2))
    await settle()
    first.cancel()
    await settle()
    gate.opened.set()
    await second
    assert (first.cancelled(), transport.batches) == (True, [["0", "1"]])


async def test_many_are_sent_in_order_and_nothing_is_nothing() -> None:
    """One message of many goes the way of a single one."""
    transport = FakeTransport()
    the_sender = sender(transport)
    await the_sender.send_all([])
    await the_sender.send_all([outgoing(1)])
    await the_sender.send_all([outgoing(2), outgoing(3)])
    assert transport.batches == [["1"], ["2", "3"]]


async def test_one_of_many_that_was_not_taken_is_raised() -> None:
    """The first that failed is named."""
    transport = FakeTransport(answering(ACCEPTED, Outcome(OutcomeKind.REFUSED, "no")))
    with pytest.raises(PublishFailed, match=r"Go 2 to fake/q: refused \(no\)") as caught:
        await sender(transport).send_all([outgoing(1), outgoing(2)])
    assert (caught.value.refused, caught.value.unknown) == (True, False)


def noting(heard: list[str]) -> Callable[..., None]:
    """Hear of batches, and note what was accepted of them."""

    def sent(transport: str, batch: Sequence[Outgoing], outcomes: Sequence[Outcome]) -> None:
        heard.extend(one.id for one, outcome in zip(batch, outcomes, strict=True) if outcome.accepted)

    return sent


async def test_an_observer_hears_how_each_message_of_a_batch_was_answered() -> None:
    """Of what was not taken, too."""
    heard: list[str] = []
    transport = FakeTransport(answering(ACCEPTED, Outcome(OutcomeKind.UNKNOWN), ACCEPTED))
    the_sender = sender(transport, sent=noting(heard))
    await the_sender.publish([outgoing(n) for n in range(3)])
    assert heard == ["0", "2"]


def late(name: object, delay: float = 11.0) -> Outgoing:
    return Outgoing(queue="q", id=str(name), type="Go", body=b"{}", delay=delay)


async def test_a_delay_that_the_broker_cannot_keep_is_parked() -> None:
    """What is delayed for too long is parked, the rest is published; the outcomes are in order."""
    transport, parking = FakeTransport(answering(UNROUTABLE, ACCEPTED)), FakeParking()
    told: list[str] = []
    it = sender(transport, parking=parking, sent=noting(told))
    outcomes = await it.publish([late(1), outgoing(2), late(3), late(4, 10.0)])
    assert [one.accepted for one in outcomes] == [True, False, True, True]
    assert transport.batches == [["2", "4"]]
    assert parking.kept == ["fake 1 10", "fake 3 10"]
    assert sorted(told) == ["1", "3", "4"]


async def test_what_the_broker_would_never_take_is_not_parked() -> None:
    """It is refused at once, with size and limit, and not when its delay is nearly over."""
    transport, parking = FakeTransport(), FakeParking()
    transport.features = msgspec.structs.replace(transport.features, max_bytes=1)
    outcomes = await sender(transport, parking=parking).publish([late(1), late(2)])
    assert [one.kind for one in outcomes] == [OutcomeKind.REFUSED] * 2
    assert outcomes[0].detail == "the body has 2 bytes, the limit is 1 (max_bytes)"
    assert parking.kept == []


async def test_what_could_not_be_parked_is_unknown() -> None:
    """A database that does not answer costs those messages their certainty, and the others nothing."""
    transport, parking = FakeTransport(), FakeParking()
    parking.down = True
    outcomes = await sender(transport, parking=parking).publish([late(1), outgoing(2)])
    assert [one.kind for one in outcomes] == [OutcomeKind.UNKNOWN, OutcomeKind.ACCEPTED]


async def test_without_parking_the_broker_gets_it() -> None:
    """Where there is no database a long delay is the broker's to judge."""
    transport = FakeTransport()
    await sender(transport).publish([late(1)])
    assert transport.batches == [["1"]]


def ids(*numbers: int) -> list[str]:
    return [str(number) for number in range(*numbers)]


async def test_a_burst_is_written_while_it_is_made() -> None:
    """Full batches leave in the middle of the turn, the rest at its end; each is written at once."""
    transport = PostingTransport(max_batch=1000)
    the_sender = sender(transport)
    burst = asyncio.gather(*(the_sender.send(outgoing(n)) for n in range(2 * FULL + 1)))
    await asyncio.sleep(0)
    assert transport.batches == [ids(FULL), ids(FULL, 2 * FULL)]
    await burst
    assert transport.posted == [ids(FULL), ids(FULL, 2 * FULL), ids(2 * FULL, 2 * FULL + 1)]


async def test_nothing_is_written_before_what_was_sent_earlier() -> None:
    """While a batch goes the long way, later ones do too, though the transport could write again."""
    gate = Gate()
    transport = PostingTransport(gate, max_batch=1000)
    transport.open = False
    the_sender = sender(transport)
    first = asyncio.ensure_future(the_sender.send(outgoing(0)))
    await settle()
    transport.open = True
    burst = asyncio.gather(*(the_sender.send(outgoing(n)) for n in range(1, FULL + 1)))
    await settle()
    assert (transport.batches, transport.posted) == ([["0"], ids(1, FULL + 1)], [])
    gate.opened.set()
    await asyncio.gather(first, burst)
    await the_sender.send(outgoing("after"))
    assert transport.posted == [["after"]]


async def test_what_cannot_be_written_at_once_is_published() -> None:
    """In one batch, at the end of the turn."""
    transport = PostingTransport(max_batch=1000)
    transport.open = False
    the_sender = sender(transport)
    await asyncio.gather(*(the_sender.send(outgoing(n)) for n in range(FULL + 1)))
    assert (transport.batches, transport.posted) == ([ids(FULL + 1)], [])


async def test_what_is_written_at_once_has_a_bounded_fate_too() -> None:
    """Its time runs, it may be refused, its number of answers counts, and listeners are told."""
    told: list[str] = []

    def posting(answer: Answer) -> Sender:
        return sender(PostingTransport(answer), timeout=0.001, sent=noting(told))

    with pytest.raises(PublishFailed, match="no answer within") as caught:
        await posting(never).send(outgoing("late"))
    assert caught.value.unknown
    with pytest.raises(PublishFailed, match="refused"):
        await posting(answering(Outcome(OutcomeKind.REFUSED))).send(outgoing("refused"))
    with pytest.raises(PublishFailed, match="2 answers to 1"):
        await posting(answering(ACCEPTED, ACCEPTED)).send(outgoing("odd"))
    await posting(accept).send(outgoing("taken"))
    assert told == ["taken"]


async def test_a_long_delay_is_parked_before_anything_is_written_at_once() -> None:
    """Parking is asked first, whatever the transport could do."""
    transport, parking = PostingTransport(), FakeParking()
    await sender(transport, parking=parking).send(late(1))
    assert (transport.batches, parking.kept) == ([], ["fake 1 10"])


async def test_a_fault_while_writing_comes_to_the_callers() -> None:
    """No caller waits for ever for what a driver's error kept from being written."""

    class Broken(PostingTransport):
        def post(self, batch: Sequence[Outgoing]) -> Confirms | None:
            raise ZeroDivisionError

    the_sender = sender(Broken())
    results = await asyncio.gather(
        *(the_sender.send(outgoing(n)) for n in range(FULL + 1)), return_exceptions=True
    )
    assert {type(result) for result in results} == {ZeroDivisionError}
