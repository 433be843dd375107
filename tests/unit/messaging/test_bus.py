"""The bus: wraps a message and takes it through its chain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker import App, CallNext, Delay, Envelope, Stamp, Token, UnknownType
from worker.chain.chain import Step, build
from worker.chain.conditions import parse_all
from worker.errors import HandlersFailed
from worker.messaging.bus import Bus, timestamp
from worker.messaging.identity import is_id
from worker.messaging.middleware import BusPart, Middleware, Side
from worker.messaging.stamps import Plugins

NOW = 1_767_323_045.678


class Go(msgspec.Struct, frozen=True):
    to: str = "a"


class Stay(msgspec.Struct, frozen=True):
    pass


class Gone(msgspec.Struct, frozen=True):
    pass


class Region(Stamp):
    value: str


class On(Stamp):
    value: str


async def go(command: Go) -> None: ...


async def stay(command: Stay) -> None: ...


app = App("shop")
app.command(key="to", version=2)(Go)
app.command(Stay)
app.event(Gone)
app.handler(go)
app.handler(stay)

seen: list[str] = []


@pytest.fixture(autouse=True)
def forget() -> None:
    seen.clear()


def note(name: str, *stamps: Stamp, stop: bool = False) -> Middleware:
    """A middleware that notes when it is entered and left."""

    async def run(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        seen.append(f"> {name}")
        outcome = envelope if stop else await call_next(envelope.with_(*stamps))
        seen.append(f"< {name}")
        return outcome

    return run


def step(name: str, *stamps: Stamp, priority: int = 0, stop: bool = False, **when: object) -> Step[BusPart]:
    return Step(name, note(name, *stamps, stop=stop), priority, None, parse_all(when))


def bus(*steps: Step[BusPart], side: Side = "dispatch", plugins: Sequence[str] = ()) -> Bus:
    registry = msgspec.structs.replace(app.registry(), plugins=tuple(plugins))
    return Bus("command", side, registry, build(steps), lambda: NOW)


async def test_a_message_is_wrapped_with_all_that_is_known() -> None:
    """A new id, the time, the key, the version; it starts its own correlation."""
    envelope = await bus().dispatch(Go("b"), Delay(3.0))
    assert is_id(envelope.id)
    assert envelope == Envelope(
        message=Go("b"),
        type="Go",
        id=envelope.id,
        source="shop",
        time="2026-01-02T03:04:05.678Z",
        correlation_id=envelope.id,
        key="b",
        version=2,
        stamps=(Delay(3.0),),
    )


async def test_what_the_caller_knows_is_kept() -> None:
    """Id, correlation, cause, key and trace are taken as given."""
    envelope = await bus().dispatch(
        Go(), id="1", correlation_id="2", causation_id="3", key="", traceparent="00-a-b-01"
    )
    assert (
        envelope.id,
        envelope.correlation_id,
        envelope.causation_id,
        envelope.key,
        envelope.traceparent,
    ) == (
        "1",
        "2",
        "3",
        "",
        "00-a-b-01",
    )


@pytest.mark.parametrize("message", [Gone(), "text", Go])
async def test_a_message_of_another_kind_is_unknown(message: object) -> None:
    """A bus takes declared messages of its own kind, and says which those are."""
    with pytest.raises(UnknownType, match="known: Go, Stay"):
        await bus().dispatch(message)


async def test_middleware_wrap_one_another_in_order() -> None:
    """Higher priority is outer."""
    await bus(step("inner"), step("outer", priority=5)).dispatch(Go())
    assert seen == ["> outer", "> inner", "< inner", "< outer"]


async def test_not_calling_on_ends_the_chain_there() -> None:
    """What the middleware returns is the outcome: handled."""
    envelope = await bus(step("outer"), step("stop", stop=True), step("never")).dispatch(Go())
    assert seen == ["> outer", "> stop", "< stop", "< outer"]
    assert envelope.type == "Go"


async def test_a_condition_is_asked_just_before_its_step() -> None:
    """What an earlier step stamped decides about a later one."""
    await bus(step("stamps", Region("eu")), step("eu", region="eu"), step("us", region="us")).dispatch(Go())
    assert seen == ["> stamps", "> eu", "< eu", "< stamps"]


async def test_facts_decide_beforehand_which_steps_there_are() -> None:
    """Type, kind, bus and what is the same for every message of the bus."""
    the_bus = bus(
        step("go", type="Go"),
        step("stay", type="Stay"),
        step("command", kind="command", bus="command"),
        step("event", kind="event"),
        step("dispatch", on="dispatch"),
        step("consume", on="consume"),
        step("plugin", plugins="a&!b"),
        plugins=["a", "c"],
    )
    await the_bus.dispatch(Go())
    assert [name for name in seen if name.startswith(">")] == ["> go", "> command", "> dispatch", "> plugin"]


async def test_a_stamp_does_not_change_a_fixed_fact() -> None:
    """A condition gives the same answer whether it is decided beforehand or asked."""
    await bus(step("both", on="dispatch&!consume", token="web")).dispatch(Go(), On("consume"), Token("web"))
    assert seen == ["> both", "< both"]


async def test_further_facts_make_another_chain() -> None:
    """A consumer's queue and transport are facts of its own chain, and of no other."""
    the_bus = bus(step("sqlite", transport="sqlite"), step("kafka", transport="kafka"))
    run = the_bus.compile("Go", {"transport": "sqlite"})
    envelope = await the_bus.dispatch(Go())
    seen.clear()
    await run(envelope)
    assert seen == ["> sqlite", "< sqlite"]


PLUGINS = ("a", "b", "c")


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        ((), ["always", "a", "not b and c"]),
        ((Plugins(("a",)),), ["always", "a"]),
        ((Plugins(("c", "a")),), ["always", "a", "not b and c"]),
        ((Plugins(("b", "unknown")),), ["always", "b"]),
        ((Plugins(()),), ["always"]),
    ],
)
async def test_a_message_takes_the_steps_of_the_plugins_that_its_token_switches_on(
    stamps: Sequence[Stamp], expected: Sequence[str]
) -> None:
    """Of those that are on in the application; without a token, all of them."""
    the_bus = bus(
        step("always"),
        step("a", plugins="a"),
        step("b", plugins="b"),
        step("not b and c", plugins="!b&c"),
        step("off", plugins="unknown"),
        plugins=["a", "c"] if not stamps else PLUGINS,
    )
    await the_bus.dispatch(Go(), *stamps)
    assert [name.removeprefix("> ") for name in seen if name.startswith(">")] == expected


async def test_plugins_are_those_that_a_message_came_in_with() -> None:
    """What a step stamps does not change the chain that runs."""
    the_bus = bus(step("narrows", Plugins(())), step("a", plugins="a"), plugins=PLUGINS)
    await the_bus.dispatch(Go())
    assert "> a" in seen


async def test_a_handlers_error_comes_to_the_caller_as_it_is() -> None:
    """Handled at once, the first failure is raised, not what wraps it."""

    async def fail(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        raise HandlersFailed(envelope, [("a", KeyError("first")), ("b", ValueError("second"))])

    with pytest.raises(KeyError, match="first"):
        await bus(Step("fail", fail)).dispatch(Go())


async def test_without_a_failure_to_show_the_wrapping_error_is_raised() -> None:
    """Earlier attempts may have given up on some handlers."""

    async def fail(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        raise HandlersFailed(envelope, [])

    with pytest.raises(HandlersFailed):
        await bus(Step("fail", fail)).dispatch(Go())


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, "1970-01-01T00:00:00.000Z"), (NOW, "2026-01-02T03:04:05.678Z")]
)
def test_times_are_rfc_3339_in_utc_to_the_millisecond(seconds: float, expected: str) -> None:
    """Always with three digits and a Z."""
    assert timestamp(seconds) == expected


@given(st.floats(0, 253_402_300_799))
def test_a_time_is_the_one_that_the_library_would_write(seconds: float) -> None:
    """Rounded to the microsecond, then cut to the millisecond, also where that is the next second."""
    written = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    assert timestamp(seconds) == written.replace("+00:00", "Z")
