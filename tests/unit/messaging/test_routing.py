"""Routing: which transport and queue each type goes to."""

from __future__ import annotations

import msgspec
import pytest

from worker import App, ConfigurationError
from worker.messaging.declaration import Registry
from worker.messaging.routing import INLINE, Destination, plan
from worker.messaging.transport import QueueSpec


class Go(msgspec.Struct, frozen=True):
    pass


class Stay(msgspec.Struct, frozen=True):
    pass


class Find(msgspec.Struct, frozen=True):
    pass


class Gone(msgspec.Struct, frozen=True):
    pass


async def go(command: Go) -> None: ...


async def stay(command: Stay) -> None: ...


async def find(query: Find) -> None: ...


async def gone(event: Gone) -> None: ...


def registry(**options: object) -> Registry:
    """Commands ``travel.Go`` (with options) and ``travel.Stay``, a query, an event with a subscriber."""
    app = App("shop")
    app.command("travel.Go", **options)(Go)  # type: ignore[call-overload]
    app.command("travel.Stay")(Stay)
    app.query(Find)
    app.event(Gone)
    for handler in (go, stay, find):
        app.handler(handler)
    app.subscriber(gone)
    return app.registry()


def test_a_pattern_routes_every_command_and_event() -> None:
    """Queues have portable names, one a type; queries are never queued."""
    routes = plan(registry(), {"*": "sqlite"}, ["sqlite"])
    assert routes.by_type == {
        "travel.Go": Destination("sqlite", "shop-travel-go"),
        "travel.Stay": Destination("sqlite", "shop-travel-stay"),
        "Gone": Destination("sqlite", "shop-gone"),
    }
    assert routes.queues == {
        "sqlite": [
            QueueSpec(name="shop-travel-go", types=("travel.Go",)),
            QueueSpec(name="shop-travel-stay", types=("travel.Stay",)),
            QueueSpec(name="shop-gone", types=("Gone",)),
        ]
    }
    assert routes.transports() == ["sqlite"]


def test_the_nearest_rule_wins() -> None:
    """The declaration before the exact name before the longest pattern."""
    rules = {"*": "a", "travel.*": "b", "travel.Stay": "c"}
    routes = plan(registry(transport="d"), rules, ["a", "b", "c", "d"])
    assert {name: route.transport for name, route in routes.by_type.items()} == {
        "travel.Go": "d",
        "travel.Stay": "c",
        "Gone": "a",
    }


def test_a_longer_pattern_wins_over_a_shorter_one() -> None:
    """Their order in the configuration does not matter."""
    for rules in ({"*": "a", "travel.*": "b"}, {"travel.*": "b", "*": "a"}):
        assert plan(registry(), rules, ["a", "b"]).by_type["travel.Go"].transport == "b"


def test_inline_needs_no_transport_and_no_queue() -> None:
    """What is handled at once does not wait anywhere."""
    routes = plan(registry(transport=INLINE), {"*": INLINE}, [])
    assert {route.transport for route in routes.by_type.values()} == {None}
    assert (routes.queues, routes.transports()) == ({}, [])


@pytest.mark.parametrize("mode", ["inline", "ignore"])
def test_events_are_not_queued_in_the_other_modes(mode: str) -> None:
    """Whatever routing says of them."""
    routes = plan(registry(), {"*": "sqlite"}, ["sqlite"], mode)
    assert routes.by_type["Gone"].transport is None
    assert [spec.name for spec in routes.queues["sqlite"]] == ["shop-travel-go", "shop-travel-stay"]


def test_an_event_that_nobody_hears_has_no_queue() -> None:
    """Its queue would only grow."""
    app = App("shop")
    app.event(Gone)
    routes = plan(app.registry(), {"*": "sqlite"}, ["sqlite"])
    assert (routes.by_type["Gone"], routes.queues) == (Destination("sqlite", "shop-gone"), {})


def test_a_shared_queue_has_all_its_types_and_the_most_of_each_setting() -> None:
    """Types that name one queue wait there together."""
    app = App("shop")
    app.command(queue="all", priority=3)(Go)
    app.command(queue="all", key="id", priority=5)(Keyed)
    app.handler(go)
    app.handler(keyed)
    routes = plan(app.registry(), {"*": "sqlite"}, ["sqlite"])
    assert routes.queues == {"sqlite": [QueueSpec(name="all", types=("Go", "Keyed"), keyed=True, priority=5)]}


class Keyed(msgspec.Struct, frozen=True):
    id: str


async def keyed(command: Keyed) -> None: ...


def test_all_faults_come_in_one_error() -> None:
    """A type without route and one to a transport that is not configured are named together."""
    with pytest.raises(ConfigurationError) as caught:
        plan(registry(transport="kafka"), {"Gone": "sqs"}, ["sqlite"])
    assert caught.value.faults == (
        "command 'travel.Go': routed to 'kafka', which is not configured; transports: sqlite",
        "command 'travel.Stay': no route; add it to [routing]; transports: sqlite",
        "event 'Gone': routed to 'sqs', which is not configured; transports: sqlite",
    )


def test_a_rule_that_matches_nothing_is_a_fault() -> None:
    """A misspelt name, a pattern without a type, a query, an alias; ``*`` may stand there for later."""
    rules = {
        "travel.G": "sqlite",
        "catalog.*": "sqlite",
        "Find": "sqlite",
        "walk": "sqlite",
        "*": "sqlite",
        "travel.*": "sqlite",
    }
    with pytest.raises(ConfigurationError) as caught:
        plan(registry(aliases=["walk"]), rules, ["sqlite"])
    assert caught.value.faults == (
        "routing.'travel.G': 'travel.G' matches no command or event; did you mean 'travel.Go'?",
        "routing.'catalog.*': 'catalog.*' matches no command or event; known: Gone, travel.Go, travel.Stay",
        "routing.Find: 'Find' is a query, which is answered at once and never routed",
        "routing.walk: 'walk' is an alias; expected 'travel.Go'",
    )
    with pytest.raises(ConfigurationError, match="'sqlit', which is not configured; did you mean 'sqlite'"):
        plan(registry(transport="sqlit"), {"*": "sqlite"}, ["sqlite"])


def test_names_that_come_to_one_queue_are_a_fault() -> None:
    """Two types share a queue only where both ask for it."""
    app = App("shop")
    app.command("NoRetry")(Go)
    app.command("no.retry")(Stay)
    app.handler(go)
    app.handler(stay)
    with pytest.raises(
        ConfigurationError, match=r"'shop-no-retry' on 'sqlite'.*say queue= for NoRetry and no.retry"
    ):
        plan(app.registry(), {"*": "sqlite"}, ["sqlite"])


def test_equal_names_on_two_transports_are_no_fault() -> None:
    """They are two queues."""
    app = App("shop")
    app.command("NoRetry")(Go)
    app.command("no.retry")(Stay)
    app.handler(go)
    app.handler(stay)
    routes = plan(app.registry(), {"NoRetry": "a", "no.retry": "b"}, ["a", "b"])
    assert {name: [spec.name for spec in specs] for name, specs in routes.queues.items()} == {
        "a": ["shop-no-retry"],
        "b": ["shop-no-retry"],
    }
