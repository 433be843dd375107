"""Which classes cannot have bodies that are nested too deeply, and what is said of bodies that are."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Annotated, Any, TypedDict

import msgspec
import pytest

from tests.unit.http.resources.memory_store import MemoryStore
from tests.unit.http.resources.serving import served
from worker import App, Post
from worker.resources.depth import MOST, is_shallow, is_too_deep


class Flat(msgspec.Struct):
    title: Annotated[str, msgspec.Meta(min_length=1)]
    at: dt.datetime | None = None


class Holder(msgspec.Struct):
    flats: dict[str, list[Flat | None]]
    pair: tuple[int, tuple[Flat, ...]]


class Open(msgspec.Struct):
    more: Any


class Raw(msgspec.Struct):
    more: msgspec.Raw


class Tree(msgspec.Struct):
    branches: list[Tree] = []


@dataclasses.dataclass
class Reply:
    text: str
    answers: dict[str, Reply] | None = None


class Linked(TypedDict):
    next: Linked | None


class Around(msgspec.Struct):
    twice: tuple[Flat, Flat]
    tree: Tree | None = None


def twofold(levels: int) -> Any:
    """Each level holds the next one twice: as many ways down as there are leaves of a tree."""
    kind: Any = int
    for level in range(levels):
        kind = msgspec.defstruct(f"Level{level}", [("one", kind), ("other", kind)])
    return kind


def lists(levels: int) -> Any:
    kind: Any = int
    for _ in range(levels):
        kind = list[kind]
    return kind


@pytest.mark.parametrize("cls", [Flat, Holder, lists(MOST), int])
def test_what_a_class_of_bounded_fields_takes_is_never_too_deep(cls: Any) -> None:
    assert is_shallow(cls)


@pytest.mark.parametrize("cls", [Open, Raw, Tree, Reply, Linked, Around, lists(MOST + 1), dict, complex])
def test_what_holds_anything_itself_or_too_many_levels_may_be_too_deep(cls: Any) -> None:
    assert not is_shallow(cls)


@pytest.mark.parametrize("levels", [1, 2, MOST, MOST + 1])
def test_a_class_and_its_deepest_body_are_told_alike(levels: int) -> None:
    """A class is shallow exactly where its deepest body is not too deep."""
    body = b"[" * levels + b"1" + b"]" * levels
    assert msgspec.json.decode(body, type=lists(levels))
    assert is_shallow(lists(levels)) is not is_too_deep(body, "json")


@pytest.mark.parametrize(("levels", "status"), [(MOST - 1, 422), (MOST, 400), (5000, 400)])
async def test_an_unknown_member_that_is_too_deep_is_told_as_such(levels: int, status: int) -> None:
    """Also where the class itself has no room for it."""
    app = App("shop")
    app.resource(store=MemoryStore(), operations=[Post()], identifier="title")(Flat)
    body = b'{"title": "x", "more": ' + b"[" * levels + b"]" * levels + b"}"
    async with served(app) as it:
        answer = await it.http.post("/flats", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert ("nested too deeply" in answer.text) is (status == 400)


def test_each_part_of_a_class_is_looked_at_once() -> None:
    """However many ways lead to it: a start does not take longer by each."""
    assert is_shallow(twofold(MOST))
    assert not is_shallow(twofold(MOST + 1))
