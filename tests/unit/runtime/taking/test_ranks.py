"""Ranks and priorities: a free slot takes from a lesser queue only while the better one is known to be empty, or away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from tests.unit.runtime.house import House, house, until
from worker import App
from worker.errors import TransportUnavailable
from worker.messaging.transport import Delivery, Outgoing
from worker.runtime.taking import prospect
from worker.runtime.taking.consumer import Consumer


class Urgent(msgspec.Struct, frozen=True):
    number: int = 0


class Plain(msgspec.Struct, frozen=True):
    number: int = 0


class Middle(msgspec.Struct, frozen=True):
    number: int = 0


class Book:
    """What was handled, in order; ``then`` runs in each handler."""

    def __init__(self, then: Callable[[Any], Awaitable[None]] | None = None) -> None:
        self.handled: list[str] = []
        self.then = then

    async def __call__(self, command: Any) -> None:
        self.handled.append(type(command).__name__)
        if self.then is not None:
            await self.then(command)


def shop(book: Book, **urgent: Any) -> App:
    app = App("shop")
    app.command(**{"priority": 9, **urgent})(Urgent)
    app.command(Plain)

    @app.handler
    async def on_urgent(command: Urgent) -> None:
        await book(command)

    @app.handler
    async def on_plain(command: Plain) -> None:
        await book(command)

    return app


def consumer_of(it: House, queue: str) -> Consumer:
    assert it.worker is not None
    (found,) = (one for one in it.worker.consumers if one.spec.name == queue)
    return found


@pytest.mark.parametrize("concurrency", [1, 10])
async def test_a_backlog_of_the_better_queue_goes_before_the_lesser_one(concurrency: int) -> None:
    """Of two backlogs the better is handled first, however quick the handlers are and from the first message on."""
    book = Book()
    async with house(shop(book)) as it:
        await it.send(*(Plain(n) for n in range(300)), *(Urgent(n) for n in range(300)))
        await it.run(burst=True, concurrency=concurrency)
        assert len(book.handled) == 600
        assert book.handled[:300].count("Urgent") >= 297


async def test_the_order_of_the_named_queues_holds_over_a_backlog() -> None:
    """``-Q a -Q b`` handles the backlog of a before that of b."""
    book = Book()
    async with house(shop(book)) as it:
        await it.send(*(Plain(n) for n in range(200)), *(Urgent(n) for n in range(200)))
        await it.run(burst=True, concurrency=4, queues=("*plain", "*urgent"))
        assert book.handled == ["Plain"] * 200 + ["Urgent"] * 200


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_a_limit_is_spent_on_the_better_queue(concurrency: int) -> None:
    """``--limit 5`` with 5 urgent messages among 10 plain ones handles the 5 urgent; what was read ahead takes none of it."""
    book = Book()
    async with house(shop(book)) as it:
        await it.send(*(Plain(n) for n in range(10)), *(Urgent(n) for n in range(5)))
        assert await it.run(concurrency=concurrency, limit=5) == "limit of 5 messages"
        assert book.handled == ["Urgent"] * 5


async def test_what_waits_of_a_lesser_queue_takes_no_room_from_the_better_one() -> None:
    """Of what a limit leaves, the better queue may take all but what runs; a lesser one only what no queue holds."""
    gate = asyncio.Event()

    async def wait(command: Any) -> None:
        await gate.wait()

    book = Book(wait)
    async with house(shop(book)) as it:
        await it.send(*(Plain(n) for n in range(9)))
        task = it.start(concurrency=2, limit=5)
        urgent, plain = consumer_of(it, "shop-urgent"), consumer_of(it, "shop-plain")
        await until(lambda: plain.running == 2 and len(plain.buffer) == 3)
        assert it.worker is not None
        assert (it.worker.room(urgent), it.worker.room(plain)) == (3, 0)
        gate.set()
        await task


async def test_a_lesser_queue_is_not_read_ahead_while_the_better_one_has_more() -> None:
    """Messages that this worker will not handle for long stay with the broker, for other workers."""
    gate = asyncio.Event()

    async def wait(command: Any) -> None:
        await gate.wait()

    book = Book(wait)
    async with house(shop(book)) as it:
        await it.send(*(Plain(n) for n in range(50)), *(Urgent(n) for n in range(50)))
        task = it.start(burst=True, concurrency=2)
        await until(lambda: len(book.handled) == 2 and consumer_of(it, "shop-urgent").buffer)
        assert not consumer_of(it, "shop-plain").buffer
        assert not consumer_of(it, "shop-plain").hungry  # the watchdog has no reason to rebuild it
        gate.set()
        await task
        assert book.handled == ["Urgent"] * 50 + ["Plain"] * 50


async def test_a_better_queue_at_its_own_concurrency_leaves_the_other_slots() -> None:
    """Slots that a better queue may not use handle the lesser one's messages meanwhile."""
    gate = asyncio.Event()

    async def wait(command: Any) -> None:
        if isinstance(command, Urgent):
            await gate.wait()

    book = Book(wait)
    async with house(shop(book, concurrency=2)) as it:
        await it.send(*(Plain(n) for n in range(20)), *(Urgent(n) for n in range(10)))
        task = it.start(burst=True, concurrency=4)
        await until(lambda: book.handled.count("Plain") == 20)
        assert book.handled.count("Urgent") == 2
        gate.set()
        await task
        assert book.handled.count("Urgent") == 10


async def test_a_paused_better_queue_starves_nobody() -> None:
    """While the better queue is paused the lesser one is handled; resumed, the better goes first again."""
    book = Book()
    async with house(shop(book)) as it:
        await it.send(*(Plain(n) for n in range(20)), *(Urgent(n) for n in range(20)))
        task = it.start(concurrency=2)
        await consumer_of(it, "shop-urgent").pause()
        await until(lambda: book.handled.count("Plain") == 20)
        await it.send(*(Plain(n) for n in range(20)))
        await consumer_of(it, "shop-urgent").resume()
        await until(lambda: len(book.handled) == 60)
        assert it.worker is not None
        it.worker.stop()
        await task


async def test_a_pause_lets_the_slots_go_that_wait_for_the_queue() -> None:
    """Slots that wait for a better queue's next read do not wait for its end when it is paused."""
    book = Book()
    async with house(shop(book)) as it:
        receiving = asyncio.Event()
        replace_receive(it, "shop-urgent", lambda limit, wait: hang(receiving))
        await it.send(Plain())
        task = it.start()
        await receiving.wait()
        assert not book.handled
        await consumer_of(it, "shop-urgent").pause()
        await until(lambda: book.handled == ["Plain"])
        assert it.worker is not None
        it.worker.stop()
        await task


async def test_a_better_queue_whose_broker_is_away_starves_nobody() -> None:
    """A broker that does not answer holds up its own queues only."""
    book = Book()

    async def away(limit: int, wait: float) -> Sequence[Delivery]:
        raise TransportUnavailable("gone")

    async with house(shop(book)) as it:
        replace_receive(it, "shop-urgent", away)
        await it.send(*(Plain(n) for n in range(20)))
        task = it.start()
        await until(lambda: len(book.handled) == 20)
        assert it.worker is not None
        it.worker.stop()
        await task


async def test_a_paused_queue_tells_nothing_of_its_broker() -> None:
    """While a paused subscription receives nothing, it is not known whether its broker answers again: the log does not say so."""
    asked: list[str] = []

    async def receive(limit: int, wait: float) -> Sequence[Delivery]:
        asked.append("paused" if consumer_of(it, "shop-urgent").paused else "open")
        if asked[-1] == "open" and asked.count("paused") == 0:
            raise TransportUnavailable("gone")
        await asyncio.sleep(0)
        return []

    async with house(shop(Book())) as it:
        replace_receive(it, "shop-urgent", receive)
        with capture_logs() as lines:
            task = it.start()
            await until(lambda: bool(asked))
            await consumer_of(it, "shop-urgent").pause()
            await until(lambda: asked.count("paused") > 1)
            assert [line["event"] for line in lines if line.get("queue") == "shop-urgent"] == [
                "broker does not answer"
            ]
            assert it.worker is not None
            it.worker.stop()
            await task


async def test_a_better_queue_that_never_answers_is_waited_for_only_so_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Until a better queue's first answer slots wait, for a bounded time."""
    monkeypatch.setattr(prospect, "FIRST", 0.2)
    book = Book()
    async with house(shop(book)) as it:
        receiving = asyncio.Event()
        replace_receive(it, "shop-urgent", lambda limit, wait: hang(receiving))
        await it.send(*(Plain(n) for n in range(20)))
        task = it.start()
        await until(lambda: len(book.handled) == 20)
        assert it.worker is not None
        it.worker.stop()
        await task


async def test_a_trickle_on_the_better_queue_leaves_the_lesser_one_its_slots() -> None:
    """A better queue that has little, each time known to be all, lets the lesser one's backlog flow."""
    book = Book()
    async with house(shop(book)) as it:

        async def more(command: Any) -> None:
            if isinstance(command, Plain) and command.number % 5 == 0:
                await it.send(Urgent())

        book.then = more
        await it.send(*(Plain(n) for n in range(100)))
        await it.run(burst=True)
        assert book.handled.count("Plain") == 100
        assert book.handled.count("Urgent") == 20


async def test_delayed_messages_of_the_better_queue_starve_nobody() -> None:
    """What is not due yet is nothing that a slot waits for."""
    book = Book()
    async with house(shop(book)) as it:
        await it.broker.publish(
            [
                Outgoing(queue="shop-urgent", id=f"u{n}", type="Urgent", body=b"{}", delay=60.0)
                for n in range(5)
            ]
        )
        await it.send(*(Plain(n) for n in range(50)))
        task = it.start(concurrency=2)
        await until(lambda: book.handled == ["Plain"] * 50)
        assert it.worker is not None
        it.worker.stop()
        await task


async def test_of_three_ranks_each_goes_before_the_next_and_a_paused_one_is_passed_over() -> None:
    """The middle one goes before the least, and the least is handled while the best is paused and the middle one empty."""
    book = Book()
    app = shop(book)
    app.command(priority=5)(Middle)

    @app.handler
    async def on_middle(command: Middle) -> None:
        await book(command)

    async with house(app) as it:
        for declared in (Plain, Middle, Urgent):
            await it.send(*(declared(n) for n in range(200)))
        await it.run(burst=True, concurrency=10)
        assert book.handled[:200].count("Urgent") >= 198
        assert book.handled[:400].count("Plain") <= 4
        book.handled.clear()
        await it.send(*(Plain(n) for n in range(20)), *(Urgent(n) for n in range(20)))
        task = it.start(concurrency=2)
        await consumer_of(it, "shop-urgent").pause()
        await until(lambda: book.handled.count("Plain") == 20)
        await it.send(Middle())
        await until(lambda: book.handled[-1] == "Middle")
        assert it.worker is not None
        it.worker.stop()
        await task


class Pushed:
    """A subscription as a broker's that pushes: little comes at once, though much waits."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.lease = inner.lease
        self.asked = 0
        self.left = True

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        got: Sequence[Delivery] = await self.inner.receive(min(limit, 3), wait)
        self.left = bool(got)
        return got

    async def exhausted(self) -> bool:
        self.asked += 1
        return not self.left

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


async def test_little_of_a_broker_that_pushes_is_not_taken_for_all() -> None:
    """Where messages are pushed, the broker is asked before a slot turns to a lesser queue."""
    book = Book()
    async with house(shop(book)) as it:
        subscribe = it.broker.subscribe
        made: list[Pushed] = []

        async def pushed(spec: Any, *, slots: int) -> Pushed:
            made.append(Pushed(await subscribe(spec, slots=slots)))
            return made[-1]

        it.broker.subscribe = pushed
        await it.send(*(Plain(n) for n in range(100)), *(Urgent(n) for n in range(100)))
        await it.run(concurrency=10, limit=200)
        assert book.handled[:100].count("Urgent") >= 99
        assert made[0].asked + made[1].asked < 40


async def test_a_broker_that_never_knows_whether_more_waits_starves_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While a better queue's partitions move it is not known whether more waits there; slots wait for a bounded time in all."""
    monkeypatch.setattr(prospect, "FIRST", 0.1)
    monkeypatch.setattr(prospect, "NEXT", 0.6)  # longer than between two questions
    book = Book()
    async with house(shop(book)) as it:
        subscribe = it.broker.subscribe

        async def pushed(spec: Any, *, slots: int) -> Any:
            made = Pushed(await subscribe(spec, slots=slots))
            if spec.name == "shop-urgent":
                made.exhausted = never  # type: ignore[method-assign]
            return made

        async def never() -> bool:
            return False

        it.broker.subscribe = pushed
        await it.send(*(Plain(n) for n in range(30)), Urgent())
        task = it.start()
        await until(lambda: len(book.handled) == 31)
        assert book.handled[0] == "Urgent"
        assert it.worker is not None
        it.worker.stop()
        await task


def replace_receive(
    it: House, queue: str, receive: Callable[[int, float], Awaitable[Sequence[Delivery]]]
) -> None:
    """Let one queue be received from in another way."""
    subscribe = it.broker.subscribe

    async def subscribed(spec: Any, *, slots: int) -> Any:
        subscription = await subscribe(spec, slots=slots)
        if spec.name == queue:
            subscription.receive = receive
        return subscription

    it.broker.subscribe = subscribed


async def hang(begun: asyncio.Event) -> Sequence[Delivery]:
    """Receive as from a broker that never answers."""
    begun.set()
    await asyncio.Event().wait()
    return []
