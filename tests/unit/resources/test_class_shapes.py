"""Shapes: objects of every kind of class become data and back, and say what of their rules does not hold."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import attrs
import msgspec
import pydantic
import pytest
from msgspec import Meta

from worker.resources.class_shapes import class_shape
from worker.resources.shape import Shape


class StructBook(msgspec.Struct):
    title: Annotated[str, Meta(min_length=1)]
    id: str = "x"
    tags: list[str] = []


class FrozenBook(msgspec.Struct, frozen=True, rename="camel"):
    title: Annotated[str, Meta(min_length=1)]
    id: str = "x"
    tags: list[str] = []


@dataclasses.dataclass
class DataBook:
    title: Annotated[str, Meta(min_length=1)]
    id: str = "x"
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class FrozenDataBook:
    title: Annotated[str, Meta(min_length=1)]
    id: str = "x"
    tags: list[str] = dataclasses.field(default_factory=list)


@attrs.define
class AttrsBook:
    title: Annotated[str, Meta(min_length=1)]
    id: str = "x"
    tags: list[str] = attrs.Factory(list)


@attrs.frozen
class FrozenAttrsBook:
    title: Annotated[str, Meta(min_length=1)]
    id: str = "x"
    tags: list[str] = attrs.Factory(list)


class ModelBook(pydantic.BaseModel):
    title: str = pydantic.Field(min_length=1)
    id: str = "x"
    tags: list[str] = []


MUTABLE = [StructBook, DataBook, AttrsBook]
ALL = [*MUTABLE, FrozenBook, FrozenDataBook, FrozenAttrsBook, ModelBook]


def shape_of(cls: type[Any]) -> Shape:
    shape = class_shape(cls)
    assert shape is not None
    return shape


@pytest.mark.parametrize("cls", ALL)
def test_fields_are_in_order_and_only_those_without_default_are_required(cls: type[Any]) -> None:
    shape = shape_of(cls)
    assert list(shape.fields) == ["title", "id", "tags"]
    assert shape.required == {"title"}
    assert shape.struct.__struct_fields__ == ("title", "id", "tags")


@pytest.mark.parametrize("cls", ALL)
def test_absent_fields_of_a_new_object_have_their_defaults(cls: type[Any]) -> None:
    shape = shape_of(cls)
    made = shape.make({"title": "Dune"})
    assert type(made) is cls
    assert shape.values(made) == {"title": "Dune", "id": "x", "tags": []}


@pytest.mark.parametrize("cls", ALL)
def test_filling_leaves_other_fields_as_they_are(cls: type[Any]) -> None:
    shape = shape_of(cls)
    filled = shape.fill(shape.make({"title": "Dune", "id": "7"}), {"title": "Emma"})
    assert shape.values(filled) == {"title": "Emma", "id": "7", "tags": []}


@pytest.mark.parametrize("cls", MUTABLE)
def test_an_object_that_can_be_changed_is_filled_in_place(cls: type[Any]) -> None:
    shape = shape_of(cls)
    made = shape.make({"title": "Dune"})
    assert shape.fill(made, {"title": "Emma"}) is made


@pytest.mark.parametrize("cls", ALL)
def test_a_copy_does_not_see_what_is_changed_inside_the_object(cls: type[Any]) -> None:
    shape = shape_of(cls)
    made = shape.make({"title": "Dune", "tags": ["a"]})
    before = shape.copy(made)
    made.tags.append("b")
    assert before.tags == ["a"]


@pytest.mark.parametrize("cls", ALL)
def test_constraints_are_asked_of_the_object_as_it_is_now(cls: type[Any]) -> None:
    shape = shape_of(cls)
    assert shape.check(shape.make({"title": "Dune"})) == []
    [fault] = shape.check(shape.make({"title": ""}))
    assert fault.pointer == "/title"
    pointers = {fault.pointer for fault in shape.check(shape.make({"title": "", "tags": [1]}))}
    assert pointers == {"/title", "/tags/0"}


@pytest.mark.parametrize("cls", ALL)
def test_the_struct_carries_constraints_into_json_schema(cls: type[Any]) -> None:
    schema = msgspec.json.schema(shape_of(cls).struct)
    [properties] = [part["properties"] for part in schema["$defs"].values()]
    assert properties["title"]["minLength"] == 1


def test_any_other_class_has_no_shape() -> None:
    assert class_shape(object) is None
