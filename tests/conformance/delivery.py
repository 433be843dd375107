"""What is published arrives unchanged, once, on its queue; what cannot be taken is reported."""

from __future__ import annotations

import asyncio

import pytest

from tests.conformance.bench import QUEUE, Bench, ack, empty, settle, take
from worker.errors import TransportUnavailable
from worker.messaging.transport import Ack, OutcomeKind, QueueSpec

AWKWARD = {
    "empty": b"",
    "nul": b"\x00\x00a\x00",
    "not utf-8": bytes(range(256)),
    "emoji": "🦆\r\n\t\u2028".encode(),
    "large": b"x" * 200_000,
}


class Delivering:
    """C01, C02, C06, C30, C31, F10: publishing and receiving."""

    async def test_c01_what_was_published_before_any_consumer_arrives_unchanged(self, bench: Bench) -> None:
        """C01: messages published before a consumer exists arrive with their bodies, ids and keys unchanged."""
        sent = [bench.message(key=f"k{number}" if number % 3 else None) for number in range(100)]
        await bench.publish(*sent)
        subscription = await bench.subscribe()
        got = await take(subscription, 100)
        assert {(d.id, d.body, d.key, d.queue) for d in got} == {(m.id, m.body, m.key, m.queue) for m in sent}
        assert {d.deaths for d in got} == {0}
        assert {d.headers["content-type"] for d in got} == {sent[0].content_type}
        await ack(subscription, got)
        assert await empty(subscription)

    @pytest.mark.parametrize("body", AWKWARD.values(), ids=AWKWARD.keys())
    async def test_c02_awkward_bodies_arrive_unchanged_or_are_refused(
        self, bench: Bench, body: bytes
    ) -> None:
        """C02: any bytes come back byte for byte, or are refused when they are published."""
        message = bench.message(body=body, key="clé 🦆", content_type='text/plain; charset="x"')
        (outcome,) = await bench.transport.publish([message])
        if outcome.kind is OutcomeKind.REFUSED:
            assert outcome.detail
            return
        (delivery,) = await take(await bench.subscribe(), 1)
        assert (delivery.body, delivery.key) == (body, message.key)
        assert delivery.headers["content-type"] == message.content_type

    async def test_bodies_of_one_batch_do_not_run_together(self, bench: Bench) -> None:
        """C02: bodies of different lengths in one batch stay apart."""
        sent = [bench.message(body=body) for body in AWKWARD.values() if body]
        await bench.publish(*sent)
        got = await take(await bench.subscribe(), len(sent))
        assert {d.id: d.body for d in got} == {m.id: m.body for m in sent}

    async def test_an_id_that_cannot_be_stored_is_refused_alone(self, bench: Bench) -> None:
        """C02: text that no wire can carry is refused, and the rest of its batch is taken."""
        sent = [bench.message(), bench.message(key="\ud800"), bench.message()]
        outcomes = await bench.transport.publish(sent)
        assert [outcome.accepted for outcome in outcomes] == [True, False, True]
        assert len(await take(await bench.subscribe(), 2)) == 2

    async def test_c06_queues_do_not_cross(self, bench: Bench) -> None:
        """C06: twenty queues used at once over one connection never get each other's messages."""
        specs = [QueueSpec(name=f"queue-{number:02d}", types=("T",)) for number in range(20)]
        await bench.transport.setup(specs)

        async def use(spec: QueueSpec) -> set[bytes]:
            subscription = await bench.subscribe(spec)
            for number in range(10):
                body = f"{spec.name}/{number}".encode()
                await bench.publish(bench.message(queue=spec.name, body=body))
            got = await take(subscription, 10)
            await ack(subscription, got)
            return {delivery.body for delivery in got}

        bodies = await asyncio.gather(*(use(spec) for spec in specs))
        assert bodies == [{f"{spec.name}/{number}".encode() for number in range(10)} for spec in specs]

    async def test_the_same_id_in_two_queues_is_two_messages(self, bench: Bench) -> None:
        """An id belongs to its queue: an event may wait in several."""
        other = QueueSpec(name="other", types=("T",))
        await bench.transport.setup([other])
        await bench.publish(bench.message(id="one"), bench.message(id="one", queue=other.name))
        assert [d.id for d in await take(await bench.subscribe(), 1)] == ["one"]
        assert [d.id for d in await take(await bench.subscribe(other), 1)] == ["one"]

    async def test_a_queue_that_was_never_set_up_is_unroutable(self, bench: Bench) -> None:
        """A message for a missing queue is reported, and the rest of its batch is taken."""
        outcomes = await bench.transport.publish([bench.message(queue="nowhere"), bench.message()])
        assert [outcome.kind for outcome in outcomes] == [OutcomeKind.UNROUTABLE, OutcomeKind.ACCEPTED]
        assert "nowhere" in outcomes[0].detail
        assert await bench.transport.missing([QUEUE, QueueSpec(name="nowhere", types=())]) == ["nowhere"]

    async def test_a_queue_set_up_elsewhere_is_noticed(self, bench: Bench) -> None:
        """A queue that another process creates later is routable without a restart."""
        late = QueueSpec(name="late", types=("T",))
        assert not (await bench.transport.publish([bench.message(queue="late")]))[0].accepted
        subscription = await bench.subscribe(late)
        await (await bench.another()).setup([late])
        await bench.publish(bench.message(queue="late"))
        assert await take(subscription, 1)

    async def test_setting_up_twice_and_at_once_is_safe(self, bench: Bench) -> None:
        """Set-up is idempotent, also from several processes at once, and empties nothing."""
        await bench.publish(bench.message())
        others = [await bench.another() for _ in range(3)]
        await asyncio.gather(*(each.setup([QUEUE]) for each in [*others, bench.transport]))
        assert await take(await bench.subscribe(), 1)

    async def test_f10_a_body_over_the_limit_is_refused_alone(self, bench: Bench) -> None:
        """F10: a body that is too large is refused with its size and the limit; its batch is taken."""
        limit = bench.features.max_bytes
        sent = [bench.message(), bench.message(body=b"x" * (limit + 1)), bench.message()]
        outcomes = await bench.transport.publish(sent)
        assert [outcome.kind.value for outcome in outcomes] == ["accepted", "refused", "accepted"]
        assert str(limit) in outcomes[1].detail and str(limit + 1) in outcomes[1].detail

    async def test_c30_publishing_without_a_connection_raises(self, bench: Bench) -> None:
        """C30: a publish that cannot reach the broker is an error, never a silent success."""
        await bench.transport.close()
        with pytest.raises(TransportUnavailable):
            await bench.transport.publish([bench.message()])
        with pytest.raises(TransportUnavailable):
            await bench.transport.ping()
        await bench.transport.connect()
        await bench.publish(bench.message())
        await bench.transport.ping()

    async def test_c30_what_was_accepted_outlives_the_process(self, bench: Bench) -> None:
        """C30: accepted means durable, where the transport says so; held messages too."""
        bench.require(bench.features.durable, "keeps nothing")
        await bench.publish(*(bench.message() for _ in range(10)))
        await take(await bench.subscribe(), 3)
        await bench.restart()
        await bench.passes(1_000)
        assert len(await take(await bench.subscribe(), 10)) == 10

    async def test_c31_closing_with_publishes_under_way_forgets_none(self, bench: Bench) -> None:
        """C31: each of many publishes under way at close is either kept or raises."""
        messages = [bench.message() for _ in range(1_000)]
        tasks = [asyncio.ensure_future(bench.transport.publish([message])) for message in messages]
        await asyncio.sleep(0)
        await bench.transport.close()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        taken = set()
        for message, result in zip(messages, results, strict=True):
            if isinstance(result, BaseException):
                assert isinstance(result, TransportUnavailable)
            elif result[0].accepted:
                taken.add(message.id)
        await bench.transport.connect()
        subscription = await bench.subscribe()
        got = await take(subscription, len(taken)) if taken else []
        assert {delivery.id for delivery in got} == taken

    async def test_receive_gives_no_more_than_asked_for(self, bench: Bench) -> None:
        """Free slots bound what is handed out."""
        await bench.publish(*(bench.message() for _ in range(10)))
        subscription = await bench.subscribe()
        assert 1 <= len(await subscription.receive(3, 5.0)) <= 3

    async def test_receive_returns_nothing_when_its_time_is_up(self, bench: Bench) -> None:
        """Waiting for messages is bounded."""
        async with asyncio.timeout(15):
            assert await empty(await bench.subscribe())

    async def test_a_waiting_consumer_is_woken_by_a_publish(self, bench: Bench) -> None:
        """A message is handed out when it comes, not when a wait is over; from another process too."""
        subscription = await bench.subscribe()
        for publisher in (bench.transport, await bench.another()):
            waiting = asyncio.ensure_future(subscription.receive(1, 60.0))
            await asyncio.sleep(0)
            await bench.publish(bench.message(), over=publisher)
            async with asyncio.timeout(15):
                await ack(subscription, await waiting)

    async def test_a_batch_keeps_its_order_of_outcomes(self, bench: Bench) -> None:
        """Outcomes stand in the order of the messages; an empty batch has none."""
        kinds = [OutcomeKind.ACCEPTED, OutcomeKind.UNROUTABLE] * 150
        batch = [bench.message(**({} if k is OutcomeKind.ACCEPTED else {"queue": "no"})) for k in kinds]
        assert [outcome.kind for outcome in await bench.transport.publish(batch)] == kinds
        assert list(await bench.transport.publish([])) == []

    async def test_an_ack_removes_one_message_only(self, bench: Bench) -> None:
        """Settling one message leaves its neighbours alone."""
        await bench.publish(*(bench.message() for _ in range(3)))
        subscription = await bench.subscribe()
        first, *rest = await take(subscription, 3)
        await settle(subscription, Ack(first))
        await ack(subscription, rest)
