"""What may be named in a pause: known types only, and whole queues."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import msgspec
import pytest

from tests.conformance.clock import Clock
from tests.unit.runtime.house import house
from worker import App, PauseConsumers, ResumeConsumers
from worker.errors import Guarded, NotFound, UnknownType, UsageError
from worker.messaging.stamps import SentBy
from worker.state.statement import Statement
from worker.tokens.document import TokenDocument
from worker.tokens.principal import ANYONE, principal_of
from worker.wiring.consumers_document import consumers_document

_LAST_ACTOR = Statement(
    "SELECT actor FROM worker_audit WHERE application = :application AND version = :version"
)


def shop():
    """Three commands, two of which share a queue, an event, and a query."""
    app = App("shop")
    made = {}
    for name, options in (("Place", {}), ("Ship", {"queue": "parcels"}), ("Pack", {"queue": "parcels"})):
        made[name] = app.command(**options)(msgspec.defstruct(name, [("n", int, 0)], frozen=True))
    made["Placed"] = app.event(msgspec.defstruct("Placed", [], frozen=True))
    made["Find"] = app.query(msgspec.defstruct("Find", [], frozen=True))

    def handler(cls):
        async def handle(message): ...

        handle.__annotations__ = {"message": cls}
        handle.__qualname__ = f"handle_{cls.__name__}"
        return handle

    for name, cls in made.items():
        (app.subscriber if name == "Placed" else app.handler)(handler(cls))
    return app


@asynccontextmanager
async def shopping():
    async with house(shop()) as it:
        yield it


async def dispatch(it, command, *stamps):
    from worker import Result

    return (await it.service.buses.dispatch["command"].dispatch(command, *stamps)).get(Result).value


async def paused(it):
    return {item["type"] for item in (await consumers_document(it.service))["consumers"] if item["paused"]}


@pytest.mark.parametrize(
    ("command", "types"),
    [
        (PauseConsumers(), {"Place", "Ship", "Pack", "Placed"}),
        (PauseConsumers(types=("Place",)), {"Place"}),
        (PauseConsumers(types=("P*e",)), {"Place"}),
        (PauseConsumers(kinds=("events",)), {"Placed"}),
        (PauseConsumers(kinds=("commands",)), {"Place", "Ship", "Pack"}),
        (PauseConsumers(queues=("parcels",)), {"Ship", "Pack"}),
        (PauseConsumers(types=("Place",), queues=("parcels",)), {"Place", "Ship", "Pack"}),
        (PauseConsumers(types=("Ship", "Pack")), {"Ship", "Pack"}),
        (PauseConsumers(types=("Ship",), shared=True), {"Ship", "Pack"}),
    ],
)
async def test_what_is_named_is_paused_and_the_answer_says_so(command, types):
    """The answer, the document and the names agree; resuming the same ends it."""
    async with shopping() as it:
        changed = await dispatch(it, command)
        assert set(changed.types) == await paused(it) == types
        await dispatch(it, ResumeConsumers(types=command.types, queues=command.queues, kinds=command.kinds))
        assert await paused(it) == set()


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (PauseConsumers(types=("Place", "Plaice")), UnknownType),
        (PauseConsumers(types=("x*",)), UnknownType),
        (PauseConsumers(types=("Find",)), UnknownType),
        (PauseConsumers(queues=("none",)), NotFound),
        (PauseConsumers(types=("Ship",)), Guarded),
        (PauseConsumers(types=("*Pack*",)), Guarded),
        (ResumeConsumers(types=("Plaice",)), UnknownType),
    ],
)
async def test_what_cannot_be_named_changes_nothing(command, error):
    """One unknown name among known ones, or types that would be held too: refused as a whole."""
    async with shopping() as it:
        with pytest.raises(error) as raised:
            await dispatch(it, command)
        assert await paused(it) == set()
        assert await it.service.fleet.pauses.version() == 0
        if error is Guarded:
            assert "Ship" in str(raised.value)
            assert "Pack" in str(raised.value)
            assert "--shared" in str(raised.value)


async def test_types_of_one_queue_are_resumed_together():
    """One of them brings back all."""
    async with shopping() as it:
        await dispatch(it, PauseConsumers(types=("Ship",), shared=True))
        assert set((await dispatch(it, ResumeConsumers(types=("Pack",)))).types) == {"Ship", "Pack"}
        assert await paused(it) == set()


async def test_what_a_pause_and_a_resume_have_changed_is_told():
    """What ran is paused, what was paused is resumed; the rest of what was named is as it was."""
    async with shopping() as it:
        first = await dispatch(it, PauseConsumers(types=("Ship",), shared=True))
        assert set(first.changed) == {"Ship", "Pack"}
        everything = await dispatch(it, PauseConsumers())
        assert set(everything.types) - set(everything.changed) == {"Ship", "Pack"}
        assert set((await dispatch(it, ResumeConsumers(types=("Ship",)))).changed) == {"Ship", "Pack"}
        rest = await dispatch(it, ResumeConsumers())
        assert set(rest.changed) == set(rest.types) - {"Ship", "Pack"}
        assert (await dispatch(it, ResumeConsumers())).changed == ()


async def test_the_document_says_why_and_who_lags():
    """Reason, actor, times; who of those that take the type has not applied it."""
    async with shopping() as it:
        await it.service.fleet.beat(("Place",))
        await dispatch(it, PauseConsumers(types=("Place",), actor="anna", reason="stock", seconds=60))
        (item,) = [i for i in (await consumers_document(it.service))["consumers"] if i["type"] == "Place"]
        assert (item["applied"], item["lagging"]) == ("0/1", [it.service.process.name])
        assert (item["pause"]["actor"], item["pause"]["reason"]) == ("anna", "stock")
        assert item["pause"]["until"] > item["pause"]["since"]
        it.clock.advance(61)
        assert await paused(it) == set()


async def test_waiting_ends_when_the_last_worker_has_applied_it():
    """And after the time given, whichever workers lag."""
    async with shopping() as it:
        await it.service.fleet.beat(("Place",))
        changed = await dispatch(it, PauseConsumers())
        assert (await it.service.fleet.pausing.until_applied(changed.version, 0.0)).share == "0/1"
        waiting = asyncio.ensure_future(it.service.fleet.pausing.until_applied(changed.version, 30.0))
        await it.service.fleet.beat(("Place",), changed.version)
        async with asyncio.timeout(10):
            assert (await waiting).share == "1/1"


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1, 0, True, "5", 1e300])
async def test_a_pause_of_no_time_is_refused(seconds):
    """Wherever it is dispatched from; nothing is paused."""
    async with shopping() as it:
        with pytest.raises(UsageError, match="PauseConsumers"):
            await dispatch(it, PauseConsumers(types=("Place",), seconds=seconds))
        assert not await paused(it)


async def test_reason_and_actor_of_a_pause_are_made_storable():
    """What no database takes is written out."""
    async with shopping() as it:
        await dispatch(it, PauseConsumers(types=("Place",), reason="NUL \0 lone \udc80", actor="a\0"))
        (rule,) = (await it.service.fleet.pausing.read()).rules
        assert (rule.reason, rule.actor) == ("NUL \\x00 lone \\udc80", "a\\x00")


@pytest.mark.parametrize("step", [3600.0, -3600.0])
async def test_a_pause_lasts_as_long_as_it_was_told_to_whatever_is_done_to_the_clock(step):
    """Its end is a time that all workers share, and no machine's wall clock moves."""
    clock = Clock()
    async with house(shop(), clock=clock) as it:
        clock.step(step)
        await dispatch(it, PauseConsumers(types=("Place",), seconds=60))
        clock.advance(59)
        assert await paused(it) == {"Place"}
        clock.advance(2)
        assert await paused(it) == set()


@pytest.mark.parametrize(("token", "actor"), [("night", "night"), (None, "anna")])
async def test_who_pauses_is_the_token_that_sent_it_whatever_the_command_says(token, actor):
    """What came through a door says who sent it; without a token it is whom the command names."""
    sender = (
        ANYONE if token is None else principal_of(TokenDocument(id=token), None, lambda name, plugins: ())
    )
    async with shopping() as it:
        await dispatch(it, PauseConsumers(types=("Place",), actor="anna"), SentBy(sender))
        [shown] = [one for one in (await consumers_document(it.service))["consumers"] if one["paused"]]
        assert shown["pause"]["actor"] == actor
        version = (await dispatch(it, ResumeConsumers(actor="anna"), SentBy(sender))).version
        async with it.service.state.database.begin_read() as transaction:
            row = await transaction.first(_LAST_ACTOR, version=version)
        assert row["actor"] == actor
