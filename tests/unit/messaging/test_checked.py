"""An application's middleware keeps its promise, or an error names it; what became of the message is told truthfully."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from worker import App, CallNext, Envelope, InvalidMessage, Reject, Result, Sent, Stamp
from worker.errors import Fault, HandlersFailed, WrongMiddleware
from worker.http.dispatch import Dispatch, handler_error
from worker.http.explanation import explain
from worker.http.ports import NoTokens
from worker.messaging.bus import Bus
from worker.tokens.principal import ANYONE
from worker.wiring.chains import built_in, chain


class Go(msgspec.Struct, frozen=True):
    number: int = 0


class Stay(msgspec.Struct, frozen=True):
    pass


class Find(msgspec.Struct, frozen=True):
    pass


class Mark(Stamp):
    value: str


class House:
    """Buses whose last step sends commands and answers queries, around one middleware."""

    def __init__(
        self,
        middleware: Any,
        last: Any = None,
        *,
        received: bool = False,
        errors: dict[type[Exception], int] | None = None,
        **options: Any,
    ) -> None:
        app = App("shop")
        app.command(errors=errors or {})(Go)
        app.command(Stay)
        app.query(Find)

        for cls in (Go, Stay, Find):
            handler = type(cls.__name__, (), {"__call__": _handler_of(cls)})()
            app.handler(handler)
        app.middleware(**options)(middleware)
        self.registry = app.registry()
        self.sent: list[Envelope[Any]] = []
        steps = chain(self.registry, [built_in("route", last or self._send, -1)])
        self.bus = Bus("command", "consume" if received else "dispatch", self.registry, steps, lambda: 1.0)
        self.queries = Bus("query", "dispatch", self.registry, steps, lambda: 1.0)

    async def _send(self, envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        self.sent.append(envelope)
        return envelope.with_(Result("found") if envelope.type == "Find" else Sent("sqlite", "shop-go"))


def _handler_of(cls: type[Any]) -> Any:
    async def call(self: Any, message: Any) -> None: ...

    call.__annotations__["message"] = cls
    return call


async def forgets(envelope: Envelope[Any], call_next: CallNext) -> Any:
    await call_next(envelope)


async def returns_nothing(envelope: Envelope[Any], call_next: CallNext) -> Any:
    return None


async def returns_text(envelope: Envelope[Any], call_next: CallNext) -> Any:
    return "done"


async def forgets_await(envelope: Envelope[Any], call_next: CallNext) -> Any:
    return call_next(envelope)


async def returns_another(envelope: Envelope[Any], call_next: CallNext) -> Any:
    return msgspec.structs.replace(envelope, type="Stay", message=Stay())


async def passes_another(envelope: Envelope[Any], call_next: CallNext) -> Any:
    return await call_next(msgspec.structs.replace(envelope, message=Stay()))


async def puts_another_in(envelope: Envelope[Any], call_next: CallNext) -> Any:
    return await call_next(envelope.with_message(Stay()))


async def passes_nothing(envelope: Envelope[Any], call_next: Any) -> Any:
    return await call_next(None)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (returns_nothing, r"returned None; expected an envelope of Go: return the envelope"),
        (returns_text, r"returned a str; expected an envelope of Go"),
        (forgets_await, r"returned a coroutine that was not awaited \(write: return await call_next\(envelope\)\)"),
        (returns_another, r"returned an envelope of Stay with a Stay in it"),
        (passes_another, r"called call_next with an envelope of Go with a Stay in it; expected an envelope of Go"),
        (passes_nothing, r"called call_next with None"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("received", [False, True], ids=["sent", "received"])
async def test_a_wrong_middleware_is_named_before_anything_is_sent(
    wrong: Any, told: str, received: bool
) -> None:
    """And nothing leaves, or is handled."""
    house = House(wrong, received=received)
    with pytest.raises(WrongMiddleware, match=rf"middleware .*{wrong.__name__} {told}"):
        await house.bus.dispatch(Go())
    assert house.sent == []


async def puts_in_what_does_not_fit(envelope: Envelope[Any], call_next: CallNext) -> Any:
    return await call_next(envelope.with_message(Go("many")))  # type: ignore[arg-type]


async def adds_a_stamp_that_does_not_fit(envelope: Envelope[Any], call_next: CallNext) -> Any:
    return await call_next(envelope.with_(Mark(7)))  # type: ignore[arg-type]


async def adds_a_stamp_that_cannot_be_written(envelope: Envelope[Any], call_next: CallNext) -> Any:
    return await call_next(envelope.with_(Mark(object())))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (puts_in_what_does_not_fit, r"Go is invalid: /number: expected int, got str"),
        (adds_a_stamp_that_does_not_fit, r"stamp 'mark': Expected `str`, got `int`"),
        (adds_a_stamp_that_cannot_be_written, r"stamp 'mark': .*unsupported"),
    ],
)
async def test_what_a_middleware_puts_in_fits_its_type(wrong: Any, told: str) -> None:
    """Else it would be taken, and end in the failure store as unreadable."""
    house = House(wrong)
    with pytest.raises(
        WrongMiddleware, match=rf"{wrong.__name__} passed on what does not fit its type: {told}"
    ):
        await house.bus.dispatch(Go())
    assert house.sent == []


async def test_what_a_middleware_puts_in_and_fits_is_sent() -> None:
    async def changes(envelope: Envelope[Any], call_next: CallNext) -> Any:
        return await call_next(envelope.with_message(Go(7)).with_(Mark("a")))

    house = House(changes)
    await house.bus.dispatch(Go())
    assert [(one.message, one.get(Mark)) for one in house.sent] == [(Go(7), Mark("a"))]


async def test_another_message_is_of_the_same_type() -> None:
    """``with_message`` says so itself."""
    house = House(puts_another_in)
    with pytest.raises(WrongMiddleware, match=r"middleware .*puts_another_in .*takes a Go, not a Stay"):
        await house.bus.dispatch(Go())
    assert house.sent == []


async def test_a_middleware_that_forgets_to_return_says_what_became_of_the_message() -> None:
    """It was queued all the same: the error tells under which id."""
    house = House(forgets)
    told = r"forgets returned None; expected .* return what call_next returned; Go 7 was queued all the same, on sqlite/shop-go"
    with pytest.raises(WrongMiddleware, match=told):
        await house.bus.dispatch(Go(), id="7")
    assert len(house.sent) == 1


async def test_a_middleware_of_a_worker_that_returns_what_it_should_not_is_named() -> None:
    """What is returned is looked at there as at dispatch; an envelope with more stamps is fine."""

    async def returns_a_stranger(envelope: Envelope[Any], call_next: CallNext) -> Any:
        return msgspec.structs.replace(await call_next(envelope), id="8")

    async def marks(envelope: Envelope[Any], call_next: CallNext) -> Any:
        return (await call_next(envelope.with_(Mark("in")))).with_(Mark("out"))

    with pytest.raises(WrongMiddleware, match="forgets returned None; expected an envelope of Go"):
        await House(forgets, received=True).bus.dispatch(Go())
    with pytest.raises(WrongMiddleware, match="returned the envelope of 8; expected what call_next returned"):
        await House(returns_a_stranger, received=True).bus.dispatch(Go(), id="7")
    assert (await House(marks, received=True).bus.dispatch(Go())).get(Mark) is not None


async def test_what_the_rest_of_the_chain_found_is_kept() -> None:
    """A middleware that returns the envelope that it was given neither hides that it was sent nor loses an answer."""

    async def returns_its_own(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        await call_next(envelope)
        return envelope.with_(Mark("own"))

    house = House(returns_its_own)
    outcome = await house.bus.dispatch(Go())
    assert (outcome.get(Sent), outcome.get(Mark)) == (Sent("sqlite", "shop-go"), Mark("own"))
    assert (await house.queries.dispatch(Find())).get(Result) == Result("found")


async def test_not_calling_on_counts_as_handled() -> None:
    """The envelope comes back, nothing is sent, and an answer may be given in place of the handler's."""

    async def answers(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        return envelope.with_(Result("mine"))

    house = House(answers)
    assert (await house.bus.dispatch(Go())).get(Sent) is None
    assert (await house.queries.dispatch(Find())).get(Result) == Result("mine")
    assert house.sent == []


async def test_the_rest_of_the_chain_runs_once() -> None:
    """A second call after the first went well would send or handle the message twice."""

    async def twice(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        await call_next(envelope)
        return await call_next(envelope)

    house = House(twice)
    with pytest.raises(WrongMiddleware, match=r"twice called call_next twice.*was queued all the same"):
        await house.bus.dispatch(Go())
    assert len(house.sent) == 1


async def test_the_rest_of_the_chain_may_be_tried_again() -> None:
    """After it failed."""
    fails = [ConnectionError(), ConnectionError()]

    async def last(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        if fails:
            raise fails.pop()
        return envelope.with_(Sent("sqlite", "shop-go"))

    async def stubborn(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        while True:
            try:
                return await call_next(envelope)
            except ConnectionError:
                pass

    assert (await House(stubborn, last).bus.dispatch(Go())).get(Sent) is not None


async def problem_of(house: House, *, inline: bool) -> Any:
    messages = SimpleNamespace(command_bus=house.bus, inline=lambda _: inline, own={})
    ports: Any = SimpleNamespace(messages=messages, registry=house.registry, tokens=NoTokens())
    dispatch = Dispatch(ports)
    with pytest.raises(Exception) as caught:
        await dispatch.take(ANYONE, dispatch.commands["Go"], Go(), id="7")
    return explain(caught.value, lambda _: 1.0).document()


@pytest.mark.parametrize("inline", [False, True], ids=["queued", "inline"])
async def test_a_middleware_that_refuses_is_answered_with_its_reason(inline: bool) -> None:
    """``Reject`` and ``InvalidMessage`` are 422, nothing is sent."""

    async def rejects(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        raise Reject("no orders on Sunday")

    async def finds_faults(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        raise InvalidMessage("Go", [Fault("/number", "is odd")])

    house = House(rejects)
    found = await problem_of(house, inline=inline)
    assert (found["status"], found["detail"], house.sent) == (422, "no orders on Sunday", [])
    found = await problem_of(House(finds_faults), inline=inline)
    assert (found["status"], found["errors"]) == (422, [{"pointer": "/number", "message": "is odd"}])


@pytest.mark.parametrize("inline", [False, True], ids=["queued", "inline"])
async def test_a_refusal_has_the_status_that_its_type_declares(inline: bool) -> None:
    """``errors=`` holds for what a middleware raises on the way in, too, also where nothing is handled at once."""

    async def rejects(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        raise Reject("no orders on Sunday")

    found = await problem_of(House(rejects, errors={Reject: 409}), inline=inline)
    assert (found["status"], found["detail"]) == (409, "no orders on Sunday")


@pytest.mark.parametrize("inline", [False, True], ids=["queued", "inline"])
async def test_a_wrong_middleware_is_the_servers_fault_and_named(inline: bool) -> None:
    """500, whatever the route; the client hears that its message was queued."""
    found = await problem_of(House(forgets), inline=inline)
    assert found["status"] == 500
    assert "forgets returned None" in found["detail"] and "Go 7 was queued" in found["detail"]


async def test_a_query_that_a_middleware_refuses_is_answered_so() -> None:
    """Over its bus too."""

    async def rejects(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        raise Reject("not now")

    house = House(rejects)
    with pytest.raises(Reject) as caught:
        await house.queries.dispatch(Find())
    found = explain(handler_error(house.registry.messages["Find"], caught.value), lambda _: 1.0).document()
    assert (found["status"], found["detail"]) == (422, "not now")


async def test_a_handler_that_rejects_is_no_refusal_of_the_intake() -> None:
    """Handled at once it is a failure as any other: 500, its text stays inside."""

    async def last(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        raise HandlersFailed(envelope, [("go", Reject("secret"))])

    async def passes(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        return await call_next(envelope)

    found = await problem_of(House(passes, last), inline=True)
    assert found["status"] == 500 and "secret" not in found["detail"]
