"""The worker: which messages it takes, how many at once, and when it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from tests.unit.runtime.house import House, house, until
from worker import App, ConfigurationError, DatabaseUnavailable
from worker.messaging.transport import Outgoing
from worker.runtime import limits
from worker.runtime.limits import Limits
from worker.runtime.options import ConsumeOptions
from worker.runtime.taking import fetching
from worker.runtime.worker import Worker


class Go(msgspec.Struct, frozen=True):
    number: int = 0


class Haste(msgspec.Struct, frozen=True):
    number: int = 0


class Gate:
    """Handlers that wait until they are let go, and count themselves."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.running: dict[str, int] = {}
        self.most: dict[str, int] = {}
        self.started: list[Any] = []
        self.cancelled = 0

    async def __call__(self, command: Any) -> None:
        name = type(command).__name__
        self.started.append(command)
        for key in (name, "all"):
            self.running[key] = self.running.get(key, 0) + 1
            self.most[key] = max(self.most.get(key, 0), self.running[key])
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            for key in (name, "all"):
                self.running[key] -= 1


def shop(gate: Any, go: dict[str, Any] | None = None, haste: dict[str, Any] | None = None) -> App:
    app = App("shop")
    app.command(**(go or {}))(Go)
    app.command(**(haste or {}))(Haste)

    @app.handler
    async def on_go(command: Go) -> None:
        await gate(command)

    @app.handler
    async def on_haste(command: Haste) -> None:
        await gate(command)

    return app


async def test_slots_never_exceed_the_concurrency() -> None:
    """As many handlers run at once as there are slots over all types, and never more."""
    gate = Gate()
    async with house(shop(gate)) as it:
        await it.send(*(Go(n) for n in range(6)), *(Haste(n) for n in range(6)))
        task = it.start(concurrency=4, burst=True)
        await until(lambda: len(gate.started) == 4)
        gate.open.set()
        await task
        assert gate.most["all"] == 4
        assert it.outcomes() == ["done"] * 12


async def test_a_type_has_a_concurrency_of_its_own() -> None:
    """A type's own limit holds beside the slots; other types use the slots that it leaves."""
    gate = Gate()
    async with house(shop(gate, {"concurrency": 2})) as it:
        await it.send(*(Go(n) for n in range(6)), *(Haste(n) for n in range(2)))
        task = it.start(concurrency=5, burst=True)
        await until(lambda: len(gate.started) == 4)
        gate.open.set()
        await task
        assert gate.most["Go"] == 2
        assert it.outcomes() == ["done"] * 8


async def first(it: House, gate: Gate, **options: Any) -> list[str]:
    """Order in which types start once both wait for the only slot."""
    await it.send(Go(0))
    task = it.start(burst=True, **options)
    await until(lambda: gate.started)
    await it.send(Go(1), Haste(1))
    assert it.worker is not None
    consumers = it.worker.consumers
    await until(lambda: consumers[0].buffer)
    gate.open.set()
    await task
    return [type(command).__name__ for command in gate.started[1:]]


async def test_a_higher_priority_goes_first() -> None:
    """Of two queues with something ready, the free slot takes from the one of higher priority."""
    gate = Gate()
    async with house(shop(gate, haste={"priority": 5})) as it:
        assert await first(it, gate) == ["Haste", "Go"]


async def test_the_order_of_named_queues_goes_before_priority() -> None:
    """``-Q a -Q b`` empties what is ready on the earlier named first, whatever the priorities."""
    gate = Gate()
    async with house(shop(gate, haste={"priority": 5})) as it:
        assert await first(it, gate, queues=("*go", "*haste")) == ["Go", "Haste"]


async def done(command: Any) -> None: ...


async def test_a_limit_is_met_exactly() -> None:
    """``--limit N`` handles N messages and gives the rest back as they were."""
    async with house(shop(done)) as it:
        ids = await it.send(*(Go(n) for n in range(10)), *(Haste(n) for n in range(10)))
        assert await it.run(concurrency=4, limit=5) == "limit of 5 messages"
        assert it.outcomes() == ["done"] * 5
        left = [d for q in it.service.process.routes.queues["memory"] for d in await it.waiting(q.name)]
        assert len(left) == 15
        assert {d.deaths for d in left} == {0}
        assert {d.id for d in left} | {one.message_id for one in it.finished} == set(ids)


async def fail(command: Any) -> None:
    raise OSError("no")


async def test_a_failure_limit_counts_failed_attempts() -> None:
    """``--failure-limit N`` stops after N failed attempts; not one more starts."""
    async with house(shop(fail)) as it:
        await it.send(*(Go(n) for n in range(10)))
        assert await it.run(failure_limit=3) == "failure limit of 3"
        assert it.outcomes() == ["retrying"] * 3


def test_a_time_limit_counts_from_the_start() -> None:
    """``--time-limit`` is reached when that much time has passed since the worker was made."""
    now = [100.0]
    watched = Limits(ConsumeOptions(time_limit=60), lambda: now[0])
    assert watched.reached() is None
    now[0] = 159.9
    assert watched.reached() is None
    now[0] = 160.0
    assert watched.reached() == "time limit of 60 s"


def test_a_memory_limit_looks_at_resident_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """``--memory-limit`` is reached when the process holds that much."""
    assert limits.resident() > 1_000_000
    watched = Limits(ConsumeOptions(memory_limit=1000), lambda: 0.0)
    watched.finished = 1
    monkeypatch.setattr(limits, "resident", lambda: 999)
    assert watched.reached() is None
    monkeypatch.setattr(limits, "resident", lambda: 1000)
    assert watched.reached() == "memory limit of 1000 bytes"


def test_a_memory_limit_is_asked_after_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory that a process takes before its first message does not end it."""
    watched = Limits(ConsumeOptions(memory_limit=1000), lambda: 0.0)
    monkeypatch.setattr(limits, "resident", lambda: 2000)
    assert watched.reached() is None
    watched.finished = 1
    assert watched.reached() == "memory limit of 1000 bytes"


def test_a_memory_limit_that_is_passed_at_the_start_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fresh process would pass it again: the error names the limit and what the process takes."""
    watched = Limits(ConsumeOptions(memory_limit=32 * 1024**2), lambda: 0.0)
    monkeypatch.setattr(limits, "resident", lambda: 32 * 1024**2 - 1)
    watched.check_start()
    monkeypatch.setattr(limits, "resident", lambda: 40 * 1024**2)
    with pytest.raises(ConfigurationError, match=r"--memory-limit 32\.0M: this process takes 40\.0M before"):
        watched.check_start()
    Limits(ConsumeOptions(), lambda: 0.0).check_start()


async def test_reaching_a_time_limit_ends_the_worker() -> None:
    """A worker without work stops by itself when its time is over."""
    async with house(shop(done)) as it:
        assert await it.run(time_limit=0.0) == "time limit of 0 s"


async def test_a_burst_leaves_what_is_not_due() -> None:
    """``--burst`` ends when nothing is due: what is delayed stays."""
    async with house(shop(done)) as it:
        await it.send(Go(1))
        await it._publish([Outgoing(queue="shop-go", id="late", type="Go", body=b"{}", delay=60.0)])
        assert await it.run(burst=True) == "nothing left"
        assert it.outcomes() == ["done"]
        assert await it.waiting("shop-go") == []
        it.clock.advance(60)
        assert [d.id for d in await it.waiting("shop-go")] == ["late"]


async def test_a_burst_handles_what_comes_while_it_asks_for_the_outbox() -> None:
    """What was taken during the question is handled, not given back to a queue that is not looked at any more."""
    gate = Gate()
    async with house(shop(gate)) as it:
        asked = 0

        async def pending(_transports: object) -> int:
            nonlocal asked
            asked += 1
            if asked == 1:  # the queues were found empty before
                await it.send(Go(1), Go(2))
                assert it.worker is not None
                await until(lambda: any(one.in_hand == 2 for one in it.worker.consumers))
                asyncio.get_running_loop().call_soon(gate.open.set)
            return 0

        it.service.sending.outbox.count = pending  # type: ignore[method-assign]
        assert await it.run(burst=True, concurrency=1) == "nothing left"
        assert it.outcomes() == ["done", "done"]


Receive = Callable[[int, float], Awaitable[Any]]


def receiving_by(it: House, watched: Callable[[str, Receive], Receive]) -> None:
    """Let what is received of each queue go through something."""
    subscribed = it.broker.subscribe

    async def subscribe(spec: Any, *, slots: int) -> Any:
        subscription = await subscribed(spec, slots=slots)
        subscription.receive = watched(spec.name, subscription.receive)
        return subscription

    it.broker.subscribe = subscribe


async def test_a_burst_ends_behind_its_last_look_and_in_none() -> None:
    """A message that came as a look is broken off would go back to a queue that others have already found empty."""
    async with house(shop(done)) as it:
        broken_off: list[str] = []

        def watched(queue: str, receive: Receive) -> Receive:
            async def looking(limit: int, wait: float) -> Any:
                try:
                    return await receive(limit, wait)
                except asyncio.CancelledError:
                    broken_off.append(queue)
                    raise

            return looking

        receiving_by(it, watched)
        await it.send(Go(1), Go(2), Haste(3))
        assert await it.run(burst=True) == "nothing left"
        assert it.outcomes() == ["done"] * 3
        assert not broken_off


async def test_a_burst_asks_at_once_after_something_happened_and_waits_no_longer_than_it_was_quiet() -> None:
    """It ends as soon as all is done, though a receive that waits is not broken off."""
    gate = Gate()
    async with house(shop(gate)) as it:
        waits: list[float] = []

        def watched(queue: str, receive: Receive) -> Receive:
            async def looking(limit: int, wait: float) -> Any:
                if queue == "shop-go":
                    waits.append(wait)
                return await receive(limit, wait)

            return looking

        receiving_by(it, watched)
        await it.send(Go(1))
        task = it.start(burst=True)
        await until(lambda: gate.started and len(waits) > 5)  # it waits for the handler
        gate.open.set()
        await task
    quiet = [wait for wait in waits if wait]
    assert waits[:2] == [0.0, 0.0] and waits[-1] == 0.0
    assert quiet[0] < 0.01
    assert all(later <= 2 * wait for wait, later in pairwise(quiet))


async def test_a_burst_waits_for_the_outbox() -> None:
    """``--burst`` does not end while rows wait to be sent, nor when the database cannot tell."""
    async with house(shop(done)) as it:
        left: list[Any] = [1, DatabaseUnavailable("locked"), 1, 0]
        asked: list[Any] = []

        async def pending(_transports: object) -> int:
            answer = left.pop(0) if left else 0
            asked.append(answer)
            if isinstance(answer, Exception):
                raise answer
            return answer

        it.service.sending.outbox.count = pending  # type: ignore[method-assign]
        assert await it.run(burst=True) == "nothing left"
        assert left == []
        assert asked[-1] == 0


async def test_stopping_lets_the_running_finish_and_gives_the_rest_back() -> None:
    """What runs is finished and acked, nothing new starts, what was taken ahead is given back uncharged."""
    gate = Gate()
    async with house(shop(gate)) as it:
        await it.send(*(Go(n) for n in range(5)))
        task = it.start(concurrency=2)
        await until(lambda: len(gate.started) == 2)
        assert it.worker is not None
        (consumer,) = (one for one in it.worker.consumers if one.spec.name == "shop-go")
        await until(lambda: len(consumer.buffer) >= 2)
        it.worker.stop("SIGTERM")
        await until(lambda: not consumer.buffer)
        gate.open.set()
        await task
        assert it.worker.stopped_by == "SIGTERM"
        assert it.outcomes() == ["done"] * 2
        assert len(gate.started) == 2
        left = await it.waiting("shop-go")
        assert [d.deaths for d in left] == [0] * 3


async def test_overdue_handlers_are_cancelled_and_given_back() -> None:
    """What still runs after the graceful timeout is cancelled, and the log names it; its message is back at once, uncharged."""
    gate = Gate()
    async with house(shop(gate)) as it:
        ids = await it.send(Go(1), Go(2))
        task = it.start(concurrency=2, graceful=0.01)
        await until(lambda: len(gate.started) == 2)
        assert it.worker is not None
        it.worker.stop()
        with capture_logs() as lines:
            await task
        assert gate.cancelled == 2
        said = [line for line in lines if "graceful timeout" in line["event"]]
        assert {(line["id"], line["type"], line["queue"], line["attempt"]) for line in said} == {
            (one, "Go", "shop-go", 1) for one in ids
        }
        shown = [await it.service.status.standing.get(one) for one in ids]
        assert [(one.status, one.attempts) for one in shown if one is not None] == [("accepted", 1)] * 2
        left = await it.waiting("shop-go")
        assert {d.id for d in left} == set(ids)
        read = [it.service.sending.serializer.decode(d.body) for d in left]
        assert [(d.deaths, envelope.attempt) for d, envelope in zip(left, read, strict=True)] == [(0, 1)] * 2


async def test_a_handler_that_ends_cancelled_by_itself_has_failed() -> None:
    """A handler that awaits something cancelled fails like any other; the slot goes on with the next message."""

    async def odd(command: Any) -> None:
        if command.number == 1:
            raise asyncio.CancelledError

    async with house(shop(odd)) as it:
        await it.send(Go(1), Go(2))
        await it.run(burst=True)
        assert sorted(it.outcomes()) == ["done", "retrying"]


async def test_a_fault_of_its_own_stops_the_worker_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slot that dies ends the worker with the fault: it never looks alive while it handles nothing."""
    gate = Gate()
    async with house(shop(gate)) as it:
        await it.send(Go(1))
        task = it.start(concurrency=2)
        assert it.worker is not None

        async def broken(consumer: Any, delivery: Any) -> None:
            raise RuntimeError("broken")

        monkeypatch.setattr(it.worker._slots, "process", broken)
        with pytest.raises(RuntimeError, match="broken"):
            await task
        assert it.worker.stopped_by == "a fault of its own"


async def test_a_stop_is_told_at_once() -> None:
    """The same moment, once: a handler may hold up the loop right after it."""
    told: list[str | None] = []
    worker = Worker(
        lambda _: asyncio.sleep(0),
        slots=1,
        limits=Limits(ConsumeOptions(), lambda: 0.0),
        on_stop=lambda: told.append(worker.stopped_by),
    )
    worker.stop("a limit")
    worker.stop("a signal")
    assert told == ["a limit"]


async def test_a_first_subscription_refused_for_what_is_configured_ends_the_worker() -> None:
    """It is a fault of the start like all others: reported with its figures, and not tried again for ever."""
    async with house(shop(Gate())) as it:

        async def refuse(spec: Any, *, slots: int) -> Any:
            raise ConfigurationError("transports.memory.lease = 2: expected at least 6 seconds")

        it.broker.subscribe = refuse
        with pytest.raises(ConfigurationError, match="lease = 2: expected at least 6"):
            await it.start()
        assert it.worker is not None
        assert it.worker.stopped_by == "a fault of what is configured"


async def test_a_later_subscription_refused_for_what_is_configured_is_a_trouble_that_may_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that has worked goes on to try: the broker may be set right, and other queues are not concerned."""
    monkeypatch.setattr(fetching, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(fetching, "_LONGEST_PAUSE", 0.01)
    async with house(shop(Gate())) as it:
        task = it.start()
        assert it.worker is not None
        worker = it.worker
        consumer = worker.consumers[0]
        await until(lambda: consumer._subscriber.begun)
        good = it.broker.subscribe

        async def refuse(spec: Any, *, slots: int) -> Any:
            raise ConfigurationError("it exists with other arguments")

        it.broker.subscribe = refuse
        consumer.suspect("the test wants another")
        it.broker.wake()
        await until(lambda: any("other arguments" in trouble for trouble in worker.troubles()))
        it.broker.subscribe = good
        await until(lambda: consumer.down is None)
        worker.stop()
        await task
