"""Handle: each handler in a unit of work of its own; what it noted leaves with its commit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from worker import App, Context, DatabaseUnavailable, Envelope, Handled, HandlerTimeout, Result
from worker.chain.chain import Chain, Step
from worker.errors import HandlersFailed
from worker.messaging.bus import Bus
from worker.messaging.identity import derive_id
from worker.messaging.paused import PausedQueues
from worker.messaging.routing import Destination
from worker.messaging.sender import Sender
from worker.messaging.serializer import Serializer
from worker.messaging.stamps import Abandoned, Plugins, Received, Token
from worker.messaging.transport import ACCEPTED, Features, Outcome, Outgoing
from worker.middleware.calling import Calling
from worker.middleware.emit import Emitter
from worker.middleware.handle import Handle
from worker.middleware.route import Route
from worker.runtime.threads import Threads

ID = "01920000-0000-7000-8000-000000000001"


class Go(msgspec.Struct, frozen=True):
    pass


class Gone(msgspec.Struct, frozen=True):
    place: int


async def gone(event: Gone) -> None: ...


class FakeTransport:
    name = "fake"
    features = Features()

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.published: list[Outgoing] = []

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        self.log.append("publish")
        self.published.extend(batch)
        return [ACCEPTED] * len(batch)


class FakeWork:
    """A unit of work that notes what is asked of it."""

    def __init__(self, works: FakeWorks, handler: str) -> None:
        self.works = works
        self.handler = handler.rpartition(".")[2]
        self.touched = False

    @property
    def session(self) -> str:
        self.touched = True
        return "session"

    async def begin(self) -> bool:
        self.works.log.append(f"begin {self.handler}")
        return self.handler not in self.works.finished

    async def commit(self, parcels: Sequence[Any]) -> bool:
        self.works.log.append(f"commit {self.handler} {len(parcels)}")
        return not self.works.late

    async def rollback(self) -> None:
        self.works.log.append(f"rollback {self.handler}")

    def translate(self, error: BaseException) -> BaseException:
        return DatabaseUnavailable("gone") if isinstance(error, ConnectionError) else error


class AnyHandler:
    def __contains__(self, handler: object) -> bool:
        return True


class FakeWorks:
    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.finished: set[str] = set()
        self.late = False
        self.storing = AnyHandler()

    def open(self, message_id: str, handler: str, *, read_only: bool = False) -> FakeWork:
        return FakeWork(self, handler)


class House:
    """A ``Handle`` over handlers of ``Go``, with everything around it fake."""

    def __init__(self, *handlers: Any, timeout: float | None = None, threads: Any = None) -> None:
        app = App("shop")
        app.command(many_handlers=True, timeout=timeout)(Go)
        app.event(Gone)
        app.subscriber(gone)
        for handler in handlers:
            app.handler(handler)
        registry = app.registry()
        self.log: list[str] = []
        self.transport = FakeTransport(self.log)
        self.works = FakeWorks(self.log)
        senders = {"fake": Sender(self.transport)}  # type: ignore[arg-type]
        routes = {"Go": Destination(None, "q"), "Gone": Destination("fake", "shop-gone")}
        route = Route(registry, routes, senders, Serializer(registry))
        buses = {
            kind: Bus(kind, "dispatch", registry, Chain((Step("route", route),)), lambda: 1.0)
            for kind in ("command", "event")
        }
        emitter = Emitter(registry, buses, senders, lambda: 1.0)  # type: ignore[arg-type]
        calling = Calling(
            emitter, self.works, threads or Threads(1), lambda: 1.0, lambda envelope: None, PausedQueues()
        )
        self.handle = Handle(registry, calling).for_facts({"type": "Go"}, never)

    async def run(self, *stamps: Any) -> Envelope[Any]:
        return await self.handle(Envelope(message=Go(), type="Go", id=ID, correlation_id="c", stamps=stamps))


async def never(envelope: Envelope[Any]) -> Envelope[Any]:
    raise AssertionError("the last step calls nothing further")


async def writes(command: Go, context: Context) -> str:
    ran.append("writes")
    assert context.session == "session"
    context.record(Gone(1))
    context.record(Gone(2))
    return "written"


async def records(command: Go, context: Context) -> None:
    context.record(Gone(1))


ran: list[str] = []


@pytest.fixture(autouse=True)
def forget() -> None:
    ran.clear()


async def simple(command: Go) -> str:
    ran.append("simple")
    return "simple"


async def fails(command: Go, context: Context) -> None:
    assert context.session == "session"
    context.record(Gone(1))
    raise ValueError("no")


async def loses(command: Go, context: Context) -> None:
    assert context.session == "session"
    raise ConnectionError


async def test_what_a_handler_stored_and_recorded_leaves_in_one_commit() -> None:
    """With a touched session its messages go to the outbox, not to the broker."""
    house = House(writes)
    outcome = await house.run(Received("fake", "q"))
    assert house.log == ["begin writes", "commit writes 2"]
    assert outcome.get(Result) == Result("written")


async def test_without_a_touched_session_there_is_no_transaction() -> None:
    """Its messages are confirmed by their broker before it counts as done, under ids that follow from its own."""
    house = House(records)
    await house.run()
    assert house.log == ["begin records", "publish"]
    (published,) = house.transport.published
    assert published.id == derive_id(ID, f"{__name__}.records", 0)
    event = msgspec.json.decode(published.body)
    assert (event["causationid"], event["correlationid"], event["data"]) == (ID, "c", {"place": 1})


async def test_a_handler_that_only_takes_its_message_needs_no_unit_of_work() -> None:
    """Nothing can be stored or recorded without a context."""
    house = House(simple)
    assert (await house.run()).get(Result) == Result("simple")
    assert house.log == []


async def test_a_failed_handler_leaves_nothing() -> None:
    """Its writes are rolled back and what it recorded is not sent."""
    house = House(fails)
    with pytest.raises(HandlersFailed, match="fails: ValueError: no"):
        await house.run()
    assert (house.log, house.transport.published) == (["begin fails", "rollback fails"], [])


@pytest.mark.parametrize("handler", [simple, writes, records, fails, loses], ids=lambda one: one.__name__)
async def test_the_only_handler_does_the_same_beside_stamps_that_concern_none(handler: Any) -> None:
    """What comes for the first time takes a shorter way; a message with more stamps takes the one for many handlers."""

    async def ends(*stamps: Any) -> tuple[Any, ...]:
        house = House(handler)
        try:
            outcome = await house.run(Received("fake", "q"), *stamps)
        except HandlersFailed as failed:
            ended = [(name, type(error), str(error)) for name, error in failed.failures]
            return ended, failed.__cause__ is failed.failures[0][1], failed.envelope.stamps[0], house.log  # type: ignore[attr-defined]
        return outcome.get(Result), outcome.stamps[0], house.log

    assert await ends() == await ends(Token("t"))


async def test_one_failure_keeps_no_other_handler_from_running() -> None:
    """The error names the handlers that failed, the envelope those that are done."""
    house = House(fails, writes, simple)
    with pytest.raises(HandlersFailed) as caught:
        await house.run()
    assert [name.rpartition(".")[2] for name, _ in caught.value.failures] == ["fails"]
    stamp = caught.value.envelope.get(Handled)  # type: ignore[attr-defined]
    assert stamp == Handled((f"{__name__}.writes", f"{__name__}.simple"))


async def test_a_retry_runs_the_unfinished_handlers_only() -> None:
    """Those that are stamped as handled are left out."""
    house = House(writes, simple)
    await house.run(Received("fake", "q"), Handled((f"{__name__}.writes",)))
    assert ran == ["simple"]


async def test_a_message_with_abandoned_handlers_ends_as_failed() -> None:
    """The others are done; what was given up on brings it to the failure store."""
    house = House(writes, simple)
    with pytest.raises(HandlersFailed) as caught:
        await house.run(Received("fake", "q"), Abandoned((f"{__name__}.writes",)))
    assert (ran, caught.value.failures) == (["simple"], ())


@pytest.mark.parametrize("late", [True, False])
async def test_work_that_is_committed_already_is_not_done_again(late: bool) -> None:
    """Whether the inbox knows it at the start or only at the commit; nothing leaves twice."""
    house = House(writes)
    house.works.late = late
    house.works.finished = set() if late else {"writes"}
    outcome = await house.run()
    assert (outcome.get(Result), ran, house.transport.published) == (None, ["writes"] if late else [], [])


async def test_an_outage_of_the_database_is_told_from_a_handlers_error() -> None:
    """What is behind an error decides whether an attempt is charged."""
    with pytest.raises(HandlersFailed) as caught:
        await House(loses).run()
    assert isinstance(caught.value.failures[0][1], DatabaseUnavailable)


async def test_a_handler_that_runs_too_long_is_stopped() -> None:
    """The error names it and its timeout, and follows the retry policy."""

    async def endless(command: Go) -> None:
        await asyncio.Event().wait()

    with pytest.raises(HandlersFailed) as caught:
        await House(endless, timeout=0.001).run()
    error = caught.value.failures[0][1]
    assert isinstance(error, HandlerTimeout)
    assert "ran longer than 0.001 s" in str(error)


async def test_a_handlers_own_timeout_error_is_its_own() -> None:
    """It is not mistaken for the message's timeout."""

    async def impatient(command: Go) -> None:
        raise TimeoutError("the other side")

    with pytest.raises(HandlersFailed) as caught:
        await House(impatient, timeout=60.0).run()
    assert type(caught.value.failures[0][1]) is TimeoutError


async def test_a_plain_function_runs_in_a_thread() -> None:
    """The loop stays free."""

    def threaded(command: Go) -> int:
        return threading.get_ident()

    outcome = await House(threaded).run()
    result = outcome.get(Result)
    assert result is not None
    assert result.value != threading.get_ident()


async def test_the_token_and_its_plugins_travel_on_to_what_is_recorded() -> None:
    """An event is sent in the name of the token that sent the command."""
    house = House(records)
    await house.run(Token("web"), Plugins(("a",)))
    (published,) = house.transport.published
    stamps = msgspec.json.decode(msgspec.json.decode(published.body)["stamps"])
    assert stamps == {"token": {"value": "web"}, "plugins": {"names": ["a"]}}


async def test_what_is_recorded_must_be_declared() -> None:
    """Else the handler has failed, and nothing leaves."""

    async def careless(command: Go, context: Context) -> None:
        context.record(Gone(1))
        context.record("no message")

    house = House(careless)
    with pytest.raises(
        HandlersFailed, match=r"record\(\) takes an event that is declared, not a str; known: Gone"
    ):
        await house.run()
    assert house.transport.published == []
