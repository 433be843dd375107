"""Quarantine: what was handed out before is watched, handled alone, or given up; nothing else is looked at."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from msgspec import structs

from tests.unit.runtime.going import Go, read, shop, stored
from tests.unit.runtime.house import House, house, until
from worker import App, Breaker, DatabaseUnavailable
from worker.errors import Paused
from worker.messaging.stamps import Received
from worker.messaging.suspicion import Death, Holder, Record, name_of
from worker.runtime.deadly.cell import CellDied, NoCell
from worker.runtime.deadly.exchange import Answer, Order, Question, Replies
from worker.runtime.holding.breakers import BreakerFailure

OTHER = Holder("other", "elsewhere", 1)
ONCE = Death(at=1.0, worker="", how="lost")
BESIDE = Death(at=2.0, worker="other", certain=True, how="died beside others")
ALONE = Death(at=3.0, worker="other", certain=True, alone=True, how="died alone")


class Cell:
    """Gives the answers it was given, and dies where one is a death."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.orders: list[Order] = []
        self.replies: list[str] = []
        self.gate: asyncio.Event | None = None

    async def handle(self, order: Order, replies: Replies) -> Answer:
        self.orders.append(order)
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Question):
            self.replies.append(await replies(answer))
            answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None: ...


async def lost(it: House, *messages: Any) -> list[str]:
    """Send messages, and lose them once: they come marked."""
    ids = await it.send(*messages)
    assert len(await it.waiting("shop-go")) == len(ids)
    it.clock.advance(it.broker.lease + 1)
    return ids


async def known(it: House) -> dict[str, Record]:
    """What is remembered, by name."""
    async with it.service.state.database.begin_read() as transaction:
        rows = await transaction.rows("SELECT name, record FROM worker_suspects")
    return {row["name"]: msgspec.json.decode(row["record"], type=Record) for row in rows}


def remembers(it: House, message_id: str, *deaths: Death, holder: Holder | None = None) -> Any:
    return it.service.state.suspects.put(
        name_of("memory", "shop-go", message_id), Record(deaths=deaths, holder=holder)
    )


async def run(it: House, cell: Cell | None = None, **options: Any) -> None:
    """Run a worker with a cell until nothing is left."""
    task = it.start(burst=True, **options)
    assert it.worker is not None
    assert it.consumers is not None
    assert it.consumers.quarantine is not None
    if cell is not None:
        it.consumers.quarantine._cell = cell  # type: ignore[assignment]
    await task
    await it.consumers.quarantine.close()


class Handler:
    """A handler that notes what it did."""

    def __init__(self) -> None:
        self.ran: list[Go] = []

    def app(self) -> Any:
        async def go(command: Go) -> None:
            self.ran.append(command)

        return shop(go)


async def test_of_what_comes_for_the_first_time_nothing_is_written() -> None:
    """Nor looked up."""
    handler = Handler()
    async with house(handler.app()) as it:
        await it.send(Go(), Go())
        it.service.state.suspects.handed = None  # type: ignore[assignment,method-assign]
        await run(it)
        assert len(handler.ran) == 2
        assert await known(it) == {}


async def test_what_comes_again_is_handled_as_any_other_and_forgotten_then() -> None:
    """One death may have been anything."""
    handler, cell = Handler(), Cell()
    async with house(handler.app()) as it:
        await lost(it, Go())
        await run(it, cell)
        assert (len(handler.ran), cell.orders) == (1, [])
        assert it.outcomes() == ["done"]
        assert await known(it) == {}


async def test_while_it_runs_it_is_known_who_has_it() -> None:
    """A worker that is handed it after this worker's death finds that."""
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def go(command: Go) -> None:
        begun.set()
        await goes_on.wait()

    async with house(shop(go)) as it:
        await lost(it, Go())
        task = it.start(burst=True)
        await begun.wait()
        (record,) = (await known(it)).values()
        assert record.holder is not None
        assert record.holder.name == it.service.process.name
        goes_on.set()
        await task


async def test_what_was_in_hand_at_two_deaths_is_handled_in_a_cell() -> None:
    """And settled as the cell says; this process does not touch it."""
    handler, cell = Handler(), Cell(Answer(outcome="done", type="Go", id="x"))
    async with house(handler.app()) as it:
        (message_id,) = await lost(it, Go())
        await remembers(it, message_id, ONCE, BESIDE)
        it.log.clear()
        await run(it, cell)
        assert handler.ran == []
        assert [(order.id, order.queue) for order in cell.orders] == [(message_id, "shop-go")]
        assert it.log == [("ack", message_id)]
        assert it.outcomes() == ["done"]
        assert await known(it) == {}


async def test_what_kills_its_cell_twice_fails_with_the_deaths_in_its_history() -> None:
    """Then it is forgotten: put back, it is counted anew."""
    handler, cell = Handler(), Cell(CellDied("exit 7"), CellDied("killed by signal 9"))
    async with house(handler.app()) as it:
        (message_id,) = await lost(it, Go())
        await remembers(it, message_id, ONCE, BESIDE)
        await run(it, cell)
        (row,) = await stored(it)
        assert row.failure.id == message_id
        history = row.failure.history
        assert {attempt.error_type for attempt in history} == {"PoisonMessage"}
        assert [attempt.worker for attempt in history] == ["unknown", "other", *[it.service.process.name] * 3]
        assert "killed by signal 9" in history[3].error_message
        assert "2 of them with nothing else in hand" in history[4].error_message
        assert row.failure.attempts == 1
        assert handler.ran == []
        assert await known(it) == {}


async def test_one_death_alone_is_no_proof() -> None:
    """The second cell handles it."""
    cell = Cell(CellDied("killed by signal 9"), Answer(outcome="done", type="Go", id="x"))
    async with house(Handler().app()) as it:
        (message_id,) = await lost(it, Go())
        await remembers(it, message_id, ONCE, BESIDE)
        await run(it, cell)
        assert await stored(it) == []
        assert it.outcomes() == ["done"]


async def test_who_died_twice_alone_before_is_not_tried_again() -> None:
    """The worker that saw the second death had died before it could write that down."""
    handler, cell = Handler(), Cell()
    async with house(handler.app()) as it:
        (message_id,) = await lost(it, Go())
        await remembers(it, message_id, ONCE, ALONE, ALONE)
        await run(it, cell)
        assert (handler.ran, cell.orders) == ([], [])
        assert [row.failure.id for row in await stored(it)] == [message_id]


@pytest.mark.parametrize("cell", [None, Cell(NoCell("no memory"))])
async def test_without_a_cell_a_suspect_is_handled_beside_others(cell: Cell | None) -> None:
    """No message waits for ever for a cell that cannot be started."""
    handler = Handler()
    async with house(handler.app()) as it:
        (message_id,) = await lost(it, Go())
        await remembers(it, message_id, ONCE, BESIDE)
        await run(it, cell)
        assert len(handler.ran) == 1
        assert it.outcomes() == ["done"]


async def test_without_the_database_it_is_handled_and_nothing_is_held_against_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The database is asked once, not for each message."""
    handler = Handler()
    asked: list[str] = []

    async def down(name: str) -> Record:
        asked.append(name)
        raise DatabaseUnavailable("gone")

    async with house(handler.app()) as it:
        await lost(it, Go(), Go(), Go())
        monkeypatch.setattr(it.service.state.suspects, "handed", down)
        await run(it)
        assert len(handler.ran) == 3
        assert len(asked) == 1


async def test_a_death_that_is_not_remembered_is_not_held_against_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given back, nothing charged."""
    cell = Cell(CellDied("exit 7"))
    async with house(Handler().app()) as it:
        (message_id,) = await lost(it, Go())
        await remembers(it, message_id, ONCE, BESIDE)

        async def down(name: str, record: Record | None) -> None:
            raise DatabaseUnavailable("gone")

        monkeypatch.setattr(it.service.state.suspects, "put", down)
        it.log.clear()
        await run(it, cell)
        assert it.log == [("release", message_id)]
        it.clock.advance(2)
        assert (await read(it)).attempt == 1


async def test_a_second_suspect_does_not_wait_in_its_slot_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """One at a time; the others are given back for a while, and others take their slots."""
    monkeypatch.setattr("worker.runtime.deadly.quarantine.TURN", 0.01)
    cell = Cell(Answer(outcome="done", type="Go", id="x"))
    cell.gate = asyncio.Event()
    async with house(Handler().app()) as it:
        ids = await lost(it, Go(), Go())
        for message_id in ids:
            await remembers(it, message_id, ONCE, BESIDE)
        it.log.clear()
        task = it.start(concurrency=2)
        worker = it.worker
        assert worker is not None
        assert it.consumers is not None
        assert it.consumers.quarantine is not None
        it.consumers.quarantine._cell = cell  # type: ignore[assignment]
        await until(lambda: ("release", ids[1]) in it.log)
        cell.gate.set()
        await until(lambda: ("ack", ids[0]) in it.log)
        worker.stop()
        await task
        await it.consumers.quarantine.close()
        assert ("ack", ids[0]) in it.log
        assert len(cell.orders) == 1
        (record,) = (await known(it)).values()
        assert (record.holder, len(record.deaths)) == (None, 2)


async def test_a_stop_gives_a_suspect_back_and_is_no_death() -> None:
    """Its cell is ended with it."""
    cell = Cell()
    cell.gate = asyncio.Event()
    async with house(Handler().app()) as it:
        (message_id,) = await lost(it, Go())
        await remembers(it, message_id, ONCE, BESIDE)
        it.log.clear()
        running = asyncio.create_task(run(it, cell, graceful=0.05))
        await until(lambda: cell.orders)
        assert it.worker is not None
        it.worker.stop()
        await running
        assert it.log == [("release", message_id)]
        (record,) = (await known(it)).values()
        assert (record.holder, len(record.deaths)) == (None, 2)


async def test_a_fault_of_its_own_is_charged_as_any_other() -> None:
    """And ends no slot, nor the worker."""
    cell = Cell(TypeError("a bug"))
    async with house(Handler().app()) as it:
        (message_id,) = await lost(it, Go())
        await remembers(it, message_id, ONCE, BESIDE)
        it.log.clear()
        await run(it, cell)
        assert it.log == [("again", message_id)]


class Lock:
    """Exclusivity that notes who came and went."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.log: list[tuple[str, str]] = []

    async def enter(self, envelope: Any, received: Any) -> None:
        self.log.append(("enter", envelope.id))
        if self.fault is not None:
            raise self.fault

    async def leave(self, envelope: Any) -> None:
        self.log.append(("leave", envelope.id))


@pytest.mark.parametrize("ends", [Answer(outcome="done", type="Go", id="m"), CellDied("exit 7")])
async def test_an_exclusive_suspect_runs_in_a_cell_while_its_worker_holds_the_lock(ends: Any) -> None:
    """So that only the end of its cell is held against it, not that of a worker that was killed from outside."""
    done = Answer(outcome="done", type="Go", id="m")
    cell, lock = Cell(Question(number=0, id="m", type="Go"), ends, done), Lock()
    async with house(Handler().app()) as it:
        it.service = structs.replace(it.service, fleet=structs.replace(it.service.fleet, exclusivity=lock))
        (message_id,) = await lost(it, Go())
        await remembers(it, message_id, ONCE, BESIDE, BESIDE, BESIDE)
        await run(it, cell)
        assert cell.replies == ["yes"]
        assert lock.log == [("enter", "m"), ("leave", "m")]
        assert it.outcomes() == ["done"]


@pytest.mark.parametrize(("fault", "says"), [(Paused(), "no"), (DatabaseUnavailable("gone"), "unknown")])
async def test_a_cell_is_told_that_its_message_cannot_be_alone_now(fault: Exception, says: str) -> None:
    """And gives it back."""
    back = Answer(outcome="returned", type="Go", id="m", settled="release", delay=5.0)
    cell, lock = Cell(Question(number=0, id="m", type="Go"), back), Lock(fault)
    async with house(Handler().app()) as it:
        it.service = structs.replace(it.service, fleet=structs.replace(it.service.fleet, exclusivity=lock))
        (message_id,) = await lost(it, Go())
        await remembers(it, message_id, ONCE, BESIDE)
        it.log.clear()
        await run(it, cell)
        assert (cell.replies, lock.log) == ([says], [("enter", "m")])
        assert it.log == [("release", message_id)]


async def test_the_breakers_of_the_worker_say_whether_a_failure_in_a_cell_is_charged() -> None:
    """They know about the fleet what a cell cannot know."""
    spared = Question(number=0, id="m", failures=(BreakerFailure("shop.go", "ConnectionError: away"),))
    back = Answer(outcome="returned", type="Go", id="m", settled="release", delay=5.0)
    cell = Cell(spared, back)

    async def go(command: Go) -> None: ...

    app = App("shop")
    app.command(Go)
    app.handler(breaker=Breaker(dependency="shop.go"))(go)
    async with house(app) as it:
        (message_id,) = await lost(it, Go())
        await remembers(it, message_id, ONCE, BESIDE)
        await run(it, cell)
        assert cell.replies == ["yes"]


async def test_a_paused_suspect_is_not_started_in_a_cell() -> None:
    """It may have waited for its turn when the pause came."""
    cell = Cell()
    async with house(Handler().app()) as it:
        (message_id,) = await lost(it, Go())
        await remembers(it, message_id, ONCE, BESIDE)
        it.service.fleet.paused.queues.add(Received("memory", "shop-go"))
        it.log.clear()
        task = it.start()
        assert it.worker is not None
        assert it.consumers is not None
        assert it.consumers.quarantine is not None
        it.consumers.quarantine._cell = cell  # type: ignore[assignment]
        await until(lambda: ("release", message_id) in it.log)
        it.worker.stop()
        await task
        assert cell.orders == []


async def test_a_burst_waits_for_its_suspects(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was given back for its turn, and is not due before the end, would be left behind."""
    monkeypatch.setattr("worker.runtime.deadly.quarantine.TURN", 1e-6)
    done = Answer(outcome="done", type="Go", id="x")
    cell = Cell(done, done, done)
    cell.gate = asyncio.Event()
    async with house(Handler().app()) as it:
        for message_id in await lost(it, Go(), Go(), Go()):
            await remembers(it, message_id, ONCE, BESIDE)
        running = asyncio.create_task(run(it, cell, concurrency=3))
        await until(lambda: cell.orders)
        for _ in range(100):  # meanwhile the turn of those that wait is over
            await asyncio.sleep(0)
        cell.gate.set()
        await running
        assert len(cell.orders) == 3
        assert await known(it) == {}


async def test_who_kills_when_its_data_is_read_is_given_up_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would kill the worker that gives it up, for ever."""
    async with house(Handler().app()) as it:
        (message_id,) = await lost(it, Go())
        await remembers(it, message_id, ONCE, ALONE, ALONE)
        monkeypatch.setattr(it.service.sending.serializer, "decode", None)
        await run(it, Cell())
        (row,) = await stored(it)
        assert (row.failure.id, row.failure.type, row.failure.decoded) == (message_id, "Go", True)
        assert len(row.failure.history) == 4
