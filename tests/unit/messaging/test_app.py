"""The application object: decorators note and return, nothing is checked before it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from worker import App, CallNext, ConfigurationError, Envelope, Retry, Stamp
from worker.messaging.declaration import MessageType


class Region(Stamp, frozen=True):
    value: str


class Go(msgspec.Struct, frozen=True):
    to: str = ""


class Find(msgspec.Struct, frozen=True):
    pass


class Gone(msgspec.Struct, frozen=True):
    pass


async def go(command: Go) -> None: ...


async def find(query: Find) -> int:
    return 1


async def gone(event: Gone) -> None: ...


async def trim(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
    return await call_next(envelope)


class Desk:
    async def go(self, command: Go) -> None: ...


@pytest.mark.parametrize(
    ("decorate", "target"),
    [
        (lambda app: app.command, Go),
        (lambda app: app.command(), Go),
        (lambda app: app.command("travel.go"), Go),
        (lambda app: app.command(name="travel.go", key="to"), Go),
        (lambda app: app.query, Find),
        (lambda app: app.query(cache=5), Find),
        (lambda app: app.event, Gone),
        (lambda app: app.event(queue="gone"), Gone),
        (lambda app: app.handler, go),
        (lambda app: app.handler(), go),
        (lambda app: app.handler(priority=5), go),
        (lambda app: app.handler, Desk),
        (lambda app: app.subscriber, gone),
        (lambda app: app.subscriber(priority=5), gone),
        (lambda app: app.middleware, trim),
        (lambda app: app.middleware(), trim),
        (lambda app: app.middleware(priority=5, messages=[Go], when={"region": "eu"}), trim),
    ],
)
def test_a_decorator_returns_what_it_decorates(decorate: Callable[[App], Any], target: Any) -> None:
    """Bare or with arguments, the very same object comes back, with nothing added to it."""
    before = set(vars(target))
    assert decorate(App("shop"))(target) is target
    assert set(vars(target)) == before


def test_every_option_of_a_command_is_kept() -> None:
    """What is declared is what the registry says."""
    app = App("shop")
    policy = Retry(max_retries=1)
    app.command(
        "travel.go",
        queue="q",
        transport="t",
        key="to",
        retry=policy,
        timeout=1.5,
        concurrency=2,
        priority=9,
        exclusive=True,
        version=3,
        aliases=["walk"],
        errors={ValueError: 409},
        many_handlers=True,
        track=False,
    )(Go)
    app.handler(go)
    (found,) = app.registry().of_kind("command")
    expected = MessageType(
        name="travel.go",
        cls=Go,
        kind="command",
        queue="q",
        transport="t",
        key="to",
        retry=policy,
        timeout=1.5,
        concurrency=2,
        priority=9,
        exclusive=True,
        version=3,
        aliases=("walk",),
        errors={ValueError: 409},
        many_handlers=True,
        track=False,
    )
    assert msgspec.structs.asdict(found) == msgspec.structs.asdict(expected)


def test_the_wire_name_is_the_class_name_unless_given() -> None:
    """A type's name is explicit and never a module path."""
    app = App("shop")
    app.command(Go)
    app.query(cache=1.0)(Find)
    app.event("went")(Gone)
    app.handler(go)
    app.handler(find)
    assert list(app.registry().messages) == ["Go", "Find", "went"]


def test_an_alias_leads_to_its_type() -> None:
    """``by_name`` has aliases, ``messages`` has not."""
    app = App("shop")
    app.command(aliases=("walk", "run"))(Go)
    app.handler(go)
    registry = app.registry()
    assert {name: message.name for name, message in registry.by_name.items()} == {
        "Go": "Go",
        "walk": "Go",
        "run": "Go",
    }
    assert list(registry.messages) == ["Go"]


def test_including_joins_declarations() -> None:
    """The included application's types, handlers, middleware and plugins are there, under the outer name."""
    outer, inner, innermost = App("shop", plugins=["a"]), App("mail", plugins=["b", "a"]), App("post")
    outer.command(Go)
    outer.handler(go)
    inner.event(Gone)
    inner.middleware(plugin="a")(trim)
    inner.middleware(plugin="b")(trim)
    innermost.query(Find)
    innermost.handler(find)
    inner.include(innermost)
    outer.include(inner)
    registry = outer.registry()
    assert registry.application == "shop"
    assert list(registry.messages) == ["Go", "Gone", "Find"]
    assert [entry.call for entry in registry.middleware] == [trim, trim]
    assert registry.plugins == ("a", "b")


def test_an_application_that_is_included_twice_counts_once() -> None:
    """Diamonds and circles are harmless."""
    outer, inner = App("shop"), App("mail")
    inner.event(Gone)
    outer.include(inner)
    outer.include(inner)
    inner.include(outer)
    assert list(outer.registry().messages) == ["Gone"]


@pytest.mark.parametrize(
    ("plugins", "expected"),
    [
        (None, "App(plugins=None): expected names of plugins"),
        (3, "App(plugins=3): expected names of plugins"),
        ([["a"]], "App(plugins=...): ['a'] is no name of a plugin; expected text, or app.include(plugin)"),
        ([3], "App(plugins=...): 3 is no name of a plugin; expected text, or app.include(plugin)"),
    ],
)
def test_plugins_that_are_no_names_are_told_with_all_else(plugins: Any, expected: str) -> None:
    """Not by an error where the application is made."""
    app = App("shop", plugins=plugins)
    app.include(3)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError) as caught:
        app.registry()
    assert expected in caught.value.faults
    assert len(caught.value.faults) == 2


def test_what_is_included_may_be_declared_later() -> None:
    """Nothing is read before the registry is asked for."""
    outer, inner = App("shop"), App("mail")
    outer.include(inner)
    inner.event(Gone)
    assert list(outer.registry().messages) == ["Gone"]


def test_a_middlewares_messages_become_a_condition_on_the_type() -> None:
    """Classes and wire names, aliases too, are turned into wire names."""
    app = App("shop")
    app.command("travel.go", aliases=("walk",))(Go)
    app.event(Gone)
    app.handler(go)
    app.middleware(messages=[Go, "Gone"], when={"region": "eu"}, bus="command", on="consume", plugin="p")(
        trim
    )
    (entry,) = app.registry().middleware
    assert entry.when == {"region": "eu", "type": "travel.go|Gone"}
    assert (entry.bus, entry.on, entry.plugin) == ("command", "consume", "p")


def test_a_middleware_for_no_message_never_runs() -> None:
    """An empty list is a condition that no type meets, not the absence of one."""
    app = App("shop")
    app.middleware(messages=[])(trim)
    (entry,) = app.registry().middleware
    assert entry.when == {"type": "-"}
