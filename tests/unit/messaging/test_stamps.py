"""Stamps: declared by a plain class, frozen, named in snake case, kept when unknown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

import pytest

import worker
from tests.unit.test_seconds import WRONG_SPANS
from worker.messaging.stamps import (
    Abandoned,
    Delay,
    Handled,
    Replay,
    Stamp,
    Token,
    UnknownStamp,
    attribute_of,
    name_of,
    travelling,
)


class Region(worker.Stamp):
    value: str


class HTTPOrigin(worker.Stamp):
    host: str
    port: int = 80


class Local(worker.Stamp):
    travels: ClassVar[bool] = False
    value: int


class Nothing(worker.Stamp):
    pass


class Named(worker.Stamp):
    name: str


class Labelled(worker.Stamp):
    label: str
    key: str
    attribute: int = 0


class Narrow(Region):
    zone: str = "a"


@pytest.mark.parametrize("stamp", [Region("eu"), HTTPOrigin("a"), Narrow("eu", "b")])
def test_a_plain_subclass_is_frozen(stamp: Stamp) -> None:
    """A stamp need not say ``frozen=True``; what travels is immutable and can be compared and hashed."""
    with pytest.raises(AttributeError, match="immutable"):
        setattr(stamp, stamp.__struct_fields__[0], "other")
    assert hash(stamp) == hash(type(stamp)(*(getattr(stamp, name) for name in stamp.__struct_fields__)))


@pytest.mark.parametrize(
    ("stamp", "name", "attribute"),
    [
        (Region("eu"), "region", "eu"),
        (HTTPOrigin("a"), "http_origin", ("a", 80)),
        (Nothing(), "nothing", ()),
        (Named("eu"), "named", "eu"),
        (Labelled("a", "b"), "labelled", ("a", "b", 0)),
        (Narrow("eu"), "narrow", ("eu", "a")),
        (Handled(("x", "y")), "handled", ("x", "y")),
        (UnknownStamp("tenant", {"value": "acme"}), "tenant", "acme"),
        (UnknownStamp("pair", {"a": 1, "b": 2}), "pair", (1, 2)),
        (UnknownStamp("flags", [1, 2]), "flags", [1, 2]),
    ],
)
def test_a_stamp_is_read_by_its_name_and_fields(stamp: Stamp, name: str, attribute: object) -> None:
    """Conditions read the only field's value, or all of them; an unknown stamp reads as its own class would."""
    assert (name_of(stamp), attribute_of(stamp)) == (name, attribute)


def test_a_class_names_its_stamps() -> None:
    """A class and its stamps have one name."""
    assert [kind.name() for kind in (Region, HTTPOrigin, Delay)] == ["region", "http_origin", "delay"]


def test_only_what_travels_is_known_to_serializers() -> None:
    """Stamps of this process alone are never read from the wire; subclasses of stamps are."""
    kinds = travelling({__name__})
    assert {
        "region": Region,
        "http_origin": HTTPOrigin,
        "narrow": Narrow,
        "named": Named,
    }.items() <= kinds.items()
    assert {"local", "delay", "received", "sent", "collect", "result", "unknown_stamp"} & set(kinds) == set()


def test_of_two_classes_with_one_name_the_applications_own_is_taken() -> None:
    """Where the modules are known they decide, else the class that was defined last."""
    other = type("Region", (Stamp,), {"__annotations__": {"value": str}, "__module__": "elsewhere"})
    assert travelling()["region"] is other
    assert travelling({__name__})["region"] is Region


def test_built_in_stamps_cannot_be_taken_over() -> None:
    """An application's class of a built-in name does not change how retries are read."""
    pretender = type("Handled", (Stamp,), {"__annotations__": {"handlers": str}, "__module__": __name__})
    assert pretender.__name__ == "Handled"
    kinds = travelling({__name__})
    assert [kinds[name] for name in ("handled", "abandoned", "replay", "token")] == [
        Handled,
        Abandoned,
        Replay,
        Token,
    ]


@pytest.mark.parametrize("span", WRONG_SPANS)
def test_a_delay_that_is_none_is_refused_where_it_is_made(span: Any) -> None:
    """By any code that makes the stamp: an intake, a middleware, a test."""
    with pytest.raises(worker.UsageError, match=r"Delay\(.*expected a finite number of seconds"):
        Delay(span)


def test_a_delay_takes_a_timedelta() -> None:
    """It is read as its seconds."""
    assert Delay(timedelta(minutes=1)).seconds == 60.0  # type: ignore[arg-type]
