"""Checks at start: every fault of the declarations comes in one error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import attrs
import msgspec
import pytest
from msgspec import Meta

from worker import App, Breaker, CallNext, ConfigurationError, Envelope, Stamp


class Go(msgspec.Struct, frozen=True):
    to: str = ""


class Stay(msgspec.Struct, frozen=True):
    pass


class Find(msgspec.Struct, frozen=True):
    pass


class Gone(msgspec.Struct, frozen=True):
    pass


class Gonne(msgspec.Struct, frozen=True):
    """Declared nowhere."""


class Region(Stamp):
    value: str


class Plain:
    pass


@dataclass(frozen=True)
class Walk:
    to: str


@attrs.frozen
class Run:
    to: str

    @property
    def lane(self) -> str:
        return self.to


async def go(command: Go) -> None: ...


async def go_too(command: Go) -> None: ...


async def find(query: Find) -> None: ...


async def find_too(query: Find) -> None: ...


async def walk(command: Walk) -> None: ...


async def run(command: Run) -> None: ...


async def gone(event: Gone) -> None: ...


async def trim(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
    return await call_next(envelope)


def faults_of(app: App) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        app.registry()
    return caught.value.faults


def contains(faults: tuple[str, ...], *parts: str) -> bool:
    """Whether each part is in the fault of its place, and there are no others."""
    return len(faults) == len(parts) and all(part in fault for fault, part in zip(faults, parts, strict=True))


def test_all_faults_come_in_one_error() -> None:
    """A wrong application name, a name twice, an unknown annotation, a missing and a surplus handler: all at once."""
    app = App("my shop")
    app.command("same")(Go)
    app.command("same")(Stay)
    app.query(Find)
    app.handler(go)
    app.handler(go_too)
    app.handler(walk)
    assert contains(
        faults_of(app),
        "App('my shop')",
        "'same' is declared twice, also by tests.unit.messaging.declaring.test_registry.Go",
        "walk: its first parameter is annotated Walk, which is no declared message; declared: Find, same, same",
        "'same': 2 handlers",
        "'same': 2 handlers",
        "query 'Find': no handler",
    ), faults_of(app)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"priority": 10}, "priority=10, expected 0 to 9"),
        ({"priority": -1}, "priority=-1, expected 0 to 9"),
        ({"concurrency": 0}, "concurrency=0, expected 1 or more"),
        ({"timeout": 0}, "timeout=0, expected seconds, more than 0"),
        *(
            ({"timeout": wrong}, f"timeout={wrong!r}, expected seconds")
            for wrong in (math.nan, math.inf, True, "5")
        ),
        *(
            ({"priority": wrong}, f"priority={wrong!r}, expected 0 to 9")
            for wrong in (math.nan, 1.5, True, "5")
        ),
        *(
            ({"concurrency": wrong}, f"concurrency={wrong!r}, expected 1")
            for wrong in (math.inf, 1.5, True, "5")
        ),
        ({"retry": 3}, "retry=3, expected a Retry(...)"),
        ({"version": 0}, "version=0, expected 1 or more"),
        ({"priority": "high"}, "priority='high', expected 0 to 9"),
        ({"priority": True}, "priority=True, expected 0 to 9"),
        ({"concurrency": 1.5}, "concurrency=1.5, expected 1 or more"),
        ({"timeout": float("nan")}, "timeout=nan, expected seconds, more than 0"),
        ({"timeout": float("inf")}, "timeout=inf, expected seconds, more than 0"),
        ({"timeout": "5"}, "timeout='5', expected seconds, more than 0"),
        ({"queue": ""}, "queue='', expected a name"),
        ({"transport": 5}, "transport=5, expected a name"),
        ({"exclusive": "no"}, "exclusive='no', expected True or False"),
        ({"key": "too"}, "key='too' is no field of it; fields: to; did you mean 'to'?"),
        ({"key": 5}, "key=5, expected the name of a field, or a function of the message"),
        ({"errors": {ValueError: "409"}}, "errors={ValueError: '409'}, expected a status from 400 to 599"),
        ({"errors": {"ValueError": 409}}, "errors={'ValueError': 409}, expected an error class"),
        ({"errors": [ValueError]}, "expected a status by error class"),
        ({"key": "order"}, "key='order' is no field of it; fields: to"),
        ({"errors": {ValueError: 200}}, "errors={ValueError: 200}, expected a status from 400 to 599"),
        ({"name": "go there"}, "'go there' is no wire name"),
        ({"name": "go\n"}, "is no wire name"),
        ({"aliases": ("7",)}, "'7' is no wire name"),
        ({"aliases": ("Go",)}, "'Go' is declared twice"),
    ],
)
def test_a_wrong_option_is_a_fault_that_names_it(options: dict[str, Any], fault: str) -> None:
    """Each fault names the declaration, the value and what is expected."""
    app = App("shop")
    app.command(**options)(Go)
    app.handler(go)
    found = faults_of(app)
    assert contains(found, fault), found
    assert "tests.unit.messaging.declaring.test_registry.Go" in found[0]


def test_an_option_that_there_is_not_is_a_fault() -> None:
    """With what was probably meant; a query has fewer options than what is queued."""
    app = App("shop")
    app.command(exclusiv=True)(Go)  # type: ignore[call-overload]
    app.query(timeout=5)(Find)  # type: ignore[call-overload]
    app.middleware(prority=5)(trim)  # type: ignore[call-overload]
    app.include("other")  # type: ignore[arg-type]
    app.handler(go)
    app.handler(find)
    assert contains(
        faults_of(app),
        "command 'Go': unknown option exclusiv=True; did you mean 'exclusive'?",
        "query 'Find': unknown option timeout=5",
        "middleware: unknown option prority=5; did you mean 'priority'?",
        "include('other'): expected an App",
    ), faults_of(app)


def test_what_a_declaration_is_made_of_is_checked_too() -> None:
    """An event runs with others, one name is no list of names, and a function or a number is no message."""
    app = App("shop")
    app.event(exclusive=True)(Gone)
    app.command(aliases="walk")(Go)
    app.command(5)  # type: ignore[call-overload]
    app.handler(priority="first", breaker=3)(go)  # type: ignore[arg-type]
    assert contains(
        faults_of(app),
        "command : aliases='walk', expected a list of wire names",
        "command 5: expected a class, or a wire name and options",
        "exclusive=True, which is for commands",
        "priority='first', expected a whole number",
        "breaker=3, expected a Breaker(...)",
    ), faults_of(app)


@dataclass
class Sized:
    many: list[int]
    mixed: int | str
    fine: Annotated[int, Meta(ge=1)] | None = None


def test_hits_are_a_whole_number() -> None:
    """A list of some, or what may be a text, cannot be compared with the most that a token may ask for."""
    for field in ("many", "mixed", "absent"):
        app = App("shop")
        app.query(hits=field)(Sized)
        fault = f"hits={field!r}, expected the name of a field that holds a whole number"
        assert contains(faults_of(app), fault, "no handler")
    app = App("shop")
    app.query(hits="fine")(Sized)
    assert contains(faults_of(app), "no handler")


@pytest.mark.parametrize("options", [
    {"failures": 0}, {"failures": 2.5}, {"rate": 0}, {"rate": "half"}, {"window": float("nan")}, {"pause": 400.0},
    {"pause": float("nan")}, {"max_pause": float("inf")}, {"errors": ValueError}, {"errors": ("ValueError",)}, {"dependency": 7},
])  # fmt: skip
def test_a_breaker_that_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    """The error names the field and what is expected."""
    (field,) = options
    with pytest.raises(ValueError, match=rf"Breaker\(.*{field}=.*expected"):
        Breaker(**options)


def test_messages_and_a_condition_on_the_type_both_hold() -> None:
    """The middleware runs for those that are named and meet the condition."""
    app = App("shop")
    app.command(Go)
    app.event(Gone)
    app.handler(go)
    app.middleware(messages=[Go, Gone], when={"type": "!Gone"})(trim)
    (entry,) = app.registry().middleware
    assert entry.when == {"type": "Go"}


def test_a_condition_may_read_what_is_provided() -> None:
    """Facts, stamps of the product and those of the application; what a process finds out later is not known here."""
    app = App("shop", plugins="audit")
    app.event(Gone)
    when = {"region": "north", "token": "exists", "transport": "kafka", "queue": "q", "attempt": "!1", "plugins": "audit",
            "kind": "event", "type": "Gone|worker.PauseConsumers", "delay": "exists"}  # fmt: skip
    app.middleware(when=when, plugin="audit")(trim)
    assert len(app.registry().middleware) == 1
    assert app.plugins == ("audit",)


def test_a_negative_cache_time_is_a_fault() -> None:
    """Queries are checked as commands are."""
    app = App("shop")
    app.query(cache=-1)(Find)
    app.handler(find)
    assert contains(faults_of(app), "cache=-1, expected seconds, 0 or more")


@pytest.mark.parametrize("cls", [Plain, dict, list[int]])
def test_a_message_must_have_fields(cls: Any) -> None:
    """Structs, dataclasses and attrs classes are messages; what cannot be read field by field is not."""
    app = App("shop")
    app.event("odd")(cls)
    assert contains(faults_of(app), "expected a msgspec Struct, a dataclass or an attrs class")


def test_dataclasses_and_attrs_classes_are_messages() -> None:
    """They have keys as structs do; a property will do."""
    app = App("shop")
    app.command(key="to")(Walk)
    app.command(key="lane")(Run)
    app.handler(walk)
    app.handler(run)
    registry = app.registry()
    assert [registry.by_class[cls].key_of(cls("a")) for cls in (Walk, Run)] == ["a", "a"]


def test_a_key_may_be_made_by_a_function() -> None:
    """None means that this message has no key."""
    app = App("shop")
    app.command(key=lambda command: command.to or None)(Go)
    app.handler(go)
    declared = app.registry().messages["Go"]
    assert [declared.key_of(Go("abc")), declared.key_of(Go(""))] == ["abc", None]


def test_a_class_that_is_declared_twice_is_a_fault() -> None:
    """A value's class says what type it is."""
    app = App("shop")
    app.event(Gone)
    app.event("went")(Gone)
    assert contains(faults_of(app), "its class is declared twice, also as 'Gone'")


def test_an_included_name_that_is_declared_twice_is_a_fault() -> None:
    """Joining applications does not hide one declaration behind another."""
    app, other = App("shop"), App("mail")
    app.event("gone")(Gone)
    other.event("gone")(Stay)
    app.include(other)
    assert contains(faults_of(app), "'gone' is declared twice")


def test_commands_and_queries_need_a_handler_and_events_none() -> None:
    """An event without subscribers is fine."""
    app = App("shop")
    app.command(Go)
    app.query(Find)
    app.event(Gone)
    assert contains(faults_of(app), "command 'Go': no handler", "query 'Find': no handler")


def test_a_second_handler_must_be_meant() -> None:
    """A command may have several where it says so, a query never."""
    app = App("shop")
    app.command(Go)
    app.query(Find)
    for function in (go, go_too, find, find_too):
        app.handler(function)
    assert (
        contains(faults_of(app), "many_handlers=True if that is meant", "query 'Find': 2 handlers")
        and "many_handlers" not in faults_of(app)[1]
    )


def test_handlers_of_one_name_are_a_fault_even_where_several_are_allowed() -> None:
    """A retry knows finished handlers by their names."""
    app = App("shop")
    app.command(many_handlers=True)(Go)
    app.event(Gone)
    for _ in range(2):
        app.handler(go)
        app.subscriber(gone)
    assert contains(faults_of(app), "command 'Go': two handlers of one name", "event 'Gone': two handlers")


def test_several_handlers_run_by_priority_and_then_as_registered() -> None:
    """Higher first, equals in order."""
    app = App("shop")
    app.command(many_handlers=True)(Go)

    async def last(command: Go) -> None: ...

    async def first(command: Go) -> None: ...

    app.handler(priority=-1)(last)
    app.handler(go)
    app.handler(go_too)
    app.handler(priority=1)(first)
    assert [handler.call for handler in app.registry().handlers["Go"]] == [first, go, go_too, last]


def not_async(envelope: Any, call_next: Any) -> Any: ...


async def one_parameter(envelope: Any) -> Any: ...


class Callable:
    async def __call__(self, envelope: Any, call_next: Any) -> Any: ...


@pytest.mark.parametrize("call", [not_async, one_parameter, Callable])
def test_a_middleware_is_an_async_function_of_two(call: Any) -> None:
    """Plain functions, other numbers of parameters and classes are faults."""
    app = App("shop")
    app.middleware(call)
    assert contains(faults_of(app), "expected an async function of (envelope, call_next)")


def test_a_callable_object_may_be_a_middleware() -> None:
    """It is named by its class."""
    app = App("shop")
    app.middleware(Callable())
    (entry,) = app.registry().middleware
    assert entry.name == f"{__name__}.Callable"


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"messages": [Go]}, "test_registry.Go'> is no declared message"),
        ({"messages": ["Go"]}, "messages='Go' is no declared message"),
        ({"when": {"region": "a&"}}, "condition region='a&': an empty part"),
        ({"when": {"region": ["a"]}}, "condition region=['a']: expected text"),
        ({"messages": [Gonne]}, "is no declared message; did you mean 'Gone'?"),
        (
            {"messages": ["Gone"], "when": {"type": "!Gone"}},
            "messages= and when={'type': '!Gone'}: no message is both",
        ),
        ({"on": "comsume"}, "on='comsume', expected 'dispatch' or 'consume'; did you mean 'consume'?"),
        ({"bus": "nope"}, "bus='nope', expected 'command' or 'query' or 'event'"),
        ({"group": "recieve"}, "did you mean 'receive'?"),
        ({"priority": "5"}, "priority='5', expected a whole number"),
        ({"group": "work", "priority": 300}, "priority=300 in a group, expected -255 to 255"),
        ({"plugin": 5}, "plugin=5, expected a plugin's name"),
        (
            {"when": {"regoin": "north"}},
            "when={'regoin': ...}: nothing provides 'regoin'; did you mean 'region'?",
        ),
        (
            {"when": {"kind": "comand"}},
            "when={'kind': 'comand'}: kind is never 'comand'; did you mean 'command'?",
        ),
        ({"when": {"bus": "!comand"}}, "bus is never 'comand'"),
        ({"when": {"on": "receive"}}, "on is never 'receive'"),
        ({"when": {"attempt": ">1"}}, "attempt is never '>1'; expected a whole number, 1 or more"),
        ({"when": {"type": "Gonne"}}, "no message 'Gonne' is declared; did you mean 'Gone'?"),
        ({"when": {"type": "left"}}, "'left' is an alias, and type is then 'Gone'"),
        ({"on": "dispatch", "when": {"on": "consume"}}, "both can never hold"),
        ({"bus": "event", "when": {"bus": "!event"}}, "both can never hold"),
    ],
)
def test_where_a_middleware_applies_is_checked(options: dict[str, Any], fault: str) -> None:
    """Undeclared messages and conditions that cannot be read are faults like any other."""
    app = App("shop")
    app.event(aliases=["left"])(Gone)
    app.middleware(**options)(trim)
    found = faults_of(app)
    assert contains(found, fault), found
