"""Dataclasses that were read are whole: they are written as those are that were made in Python."""

from __future__ import annotations

import dataclasses
from typing import Any

import attrs
import msgspec
import pytest

from worker.messaging.filling import filled, filling


@dataclasses.dataclass(frozen=True)
class City:
    name: str
    country: str = "at"
    twins: list[City] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class Slotted:
    name: str
    size: int = 3


@dataclasses.dataclass
class Linked:
    name: str
    size: int = 3

    def __post_init__(self) -> None:
        self.itself = self


@attrs.define(slots=False)
class Attrs:
    city: City
    size: int = 3


class Holder(msgspec.Struct):
    city: City | None
    others: dict[str, list[City]] = {}


class Plain(msgspec.Struct):
    name: str
    size: int = 3


@pytest.mark.parametrize(
    ("kind", "body", "whole"),
    [
        (City, {"name": "Linz"}, City("Linz")),
        (City, {"name": "Linz", "twins": [{"name": "Graz"}]}, City("Linz", twins=[City("Graz")])),
        (Holder, {"city": {"name": "Linz"}}, Holder(City("Linz"))),
        (Holder, {"city": None, "others": {"a": [{"name": "b"}]}}, Holder(None, {"a": [City("b")]})),
        (tuple[City, int], [{"name": "Linz"}, 3], (City("Linz"), 3)),
        (Attrs, {"city": {"name": "Linz"}}, Attrs(City("Linz"))),
        (dict[str, City], {"a": {"name": "b", "country": "de"}}, {"a": City("b", "de")}),
    ],
)
def test_what_was_read_is_written_like_what_was_made(kind: Any, body: Any, whole: Any) -> None:
    fill = filling(kind)
    assert fill is not None
    read = fill(msgspec.convert(body, kind))
    assert read == whole
    assert msgspec.to_builtins(read) == msgspec.to_builtins(whole)


@pytest.mark.parametrize("kind", [Slotted, Plain, list[Plain], dict[str, int], Any, str])
def test_what_is_whole_by_itself_costs_nothing(kind: Any) -> None:
    assert filling(kind) is None


def test_what_leads_back_to_itself_ends() -> None:
    read = filled(msgspec.convert({"name": "x"}, Linked))
    assert vars(read) == {"name": "x", "itself": read, "size": 3}
