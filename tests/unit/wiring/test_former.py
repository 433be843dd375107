"""Messages on a queue of the former name are found, and those of other applications left alone."""

from __future__ import annotations

import msgspec

from tests.unit.runtime.house import House, house
from worker import App
from worker.errors import TransportUnavailable
from worker.messaging.naming import former_queue_name
from worker.messaging.transport import Outgoing, QueueSpec
from worker.wiring.former import Former, moves

FORMER, TODAY = "b2-b-no-retry", "b2b-no-retry"


class NoRetry(msgspec.Struct, frozen=True):
    number: int = 0


def application(name: str = "b2b", **options: object) -> App:
    app = App(name)
    app.command(**options)(NoRetry)  # type: ignore[arg-type]

    @app.handler
    async def on_no_retry(command: NoRetry) -> None: ...

    return app


def event(id: str, source: str = "b2b") -> bytes:
    return msgspec.json.encode(
        {"specversion": "1.0", "id": id, "type": "NoRetry", "source": source, "data": {"number": 7}}
    )


async def left(it: House, *bodies: bytes) -> None:
    """What the release before has left on its queue."""
    await it.broker.setup([QueueSpec(name=FORMER, types=("NoRetry",))])
    await it.broker.publish(
        [Outgoing(queue=FORMER, id=f"id-{n}", type="NoRetry", body=body) for n, body in enumerate(bodies)]
    )


def former(it: House) -> Former:
    specs = [(name, spec) for name, specs in it.service.process.routes.queues.items() for spec in specs]
    return Former(it.service, moves(it.service.process.registry, specs))


async def ids(it: House, queue: str) -> list[str]:
    return [delivery.id for delivery in await it.waiting(queue)]


def test_the_former_name_is_as_it_was() -> None:
    """A letter after a digit began a word."""
    assert former_queue_name("b2b", "NoRetry") == FORMER
    assert former_queue_name("shop", "Order2Cash") == "shop-order2-cash"


async def test_what_waits_on_the_former_queue_is_moved() -> None:
    """Under the same id, as it is; also what cannot be read, so that it is seen to fail."""
    async with house(application()) as it:
        await left(it, event("a"), event("b", source="a crm"), b"no json")
        await former(it).look()
        assert await ids(it, TODAY) == ["id-0", "id-1", "id-2"]
        assert await ids(it, FORMER) == []


async def test_a_moved_message_is_handled() -> None:
    """By the worker of the new release."""
    async with house(application()) as it:
        await left(it, event("a"))
        await former(it).look()
        await it.run(burst=True)
        assert it.outcomes() == ["done"]


async def test_what_waits_under_an_alias_is_handled() -> None:
    """A type was renamed, and keeps its old name as an alias: nothing else takes from the queue of that name."""
    app = App("shop")

    @app.command("Refund", aliases=("PayBack",))
    class Refund(msgspec.Struct, frozen=True):
        number: int = 0

    @app.handler
    async def on_refund(command: Refund) -> None: ...

    async with house(app) as it:
        await it.broker.setup([QueueSpec(name="shop-pay-back", types=("PayBack",))])
        body = event("a", source="shop").replace(b"NoRetry", b"PayBack")
        await it.broker.publish([Outgoing(queue="shop-pay-back", id="id-0", type="PayBack", body=body)])
        await former(it).look()
        assert await ids(it, "shop-pay-back") == []
        await it.run(burst=True)
        assert it.outcomes() == ["done"]


async def test_a_queue_with_types_that_nobody_here_knows_is_left_alone() -> None:
    """It belongs to an application whose name and type come to the same."""
    async with house(application()) as it:
        await left(it, event("a").replace(b"NoRetry", b"Retry"))
        await former(it).look()
        assert await ids(it, TODAY) == []
        assert await ids(it, FORMER) == ["id-0"]


async def test_the_queue_of_another_application_is_left_alone() -> None:
    """``b2-b`` is an application of its own, whose queue has this name today."""
    async with house(application()) as it:
        await left(it, event("a", source="b2-b"))
        mover = former(it)
        await mover.look()
        await mover.look()
        assert await ids(it, TODAY) == []
        assert [one for one in it.log if one[0] == "release"] == [("release", "id-0")]
        assert await ids(it, FORMER) == ["id-0"]


async def test_what_the_broker_does_not_take_stays() -> None:
    """Copy first, then acknowledge; the next look goes on."""
    async with house(application()) as it:
        await left(it, event("a"))
        mover = former(it)
        it.publish_fault = TransportUnavailable("gone")
        await mover.look()
        it.publish_fault = None
        await mover.look()
        assert await ids(it, TODAY) == ["id-0"]


async def test_without_a_former_queue_nothing_is_made() -> None:
    """It is only looked for."""
    async with house(application()) as it:
        await former(it).look()
        assert await it.broker.missing([QueueSpec(name=FORMER, types=("NoRetry",))])


def test_queues_that_never_had_another_name_are_not_looked_for() -> None:
    """Nor one that is named in the declaration, nor one that another type of the application has today."""

    def of(app: App, *names: str) -> list[str]:
        registry = app.registry()
        specs = [("memory", QueueSpec(name=name, types=("NoRetry",))) for name in names]
        return [move.former.name for move in moves(registry, specs)]

    assert of(application("shop"), "shop-no-retry") == []
    assert of(application("b2b", queue="b2b-no-retry"), "b2b-no-retry") == []
    assert of(application("b2b"), "b2b-no-retry", FORMER) == []
    assert of(application("b2b"), "b2b-no-retry") == [FORMER]
    assert of(application("shop", aliases=("OnceMore",)), "shop-no-retry") == ["shop-once-more"]
    assert of(application("shop", aliases=("OnceMore",), queue="mine"), "mine") == []
    assert of(application("shop", aliases=("OnceMore",)), "shop-no-retry", "shop-once-more") == []
