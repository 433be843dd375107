"""Resources to try things on: a book, and a book that has everything."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import uuid
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from worker.resources.class_shapes import class_shape
from worker.resources.operation import ALL, GetCollection, Operation
from worker.resources.resource import Resource


class Book(msgspec.Struct):
    """A book, as libraries have it."""

    title: Annotated[str, Meta(min_length=1, max_length=200)]
    author: str
    year: Annotated[int, Meta(ge=0)] | None = None
    id: str = ""


class Kind(enum.Enum):
    NOVEL = "novel"
    POEM = "poem"


class Everything(msgspec.Struct):
    id: int
    text: str
    ratio: float
    price: decimal.Decimal
    kind: Kind
    sold: bool
    code: uuid.UUID
    day: dt.date
    at: Annotated[dt.datetime, Meta(tz=True)]
    tags: list[str] = []
    more: dict[str, Any] = {}


def resource_of(cls: type[Any], path: str, *operations: Operation, identifier: str = "id") -> Resource:
    """A resource as it is once it is resolved."""
    shape = class_shape(cls)
    assert shape is not None
    resolved = []
    for one in operations or [make() for make in ALL]:
        default = f"{path}/{{{identifier}}}" if one.of_item else path
        name = one.name or f"{cls.__name__.lower()}_{one.action}"
        status = {"POST": 201, "DELETE": 204}.get(one.method, 200)
        filled = {"status": status, "input": cls, "output": cls, "errors": {}}
        given = {key: value for key in filled if (value := getattr(one, key)) is not None}
        resolved.append(replace(one, path=one.path or default, name=name, **{**filled, **given}))
    return Resource(
        name=cls.__name__, cls=cls, path=path, identifier=identifier, operations=tuple(resolved), shape=shape
    )


def collection_of(cls: type[Any], **options: Any) -> tuple[Resource, GetCollection]:
    """A resource that has nothing but its collection."""
    resource = resource_of(cls, f"/{cls.__name__.lower()}s", GetCollection(**options))
    (operation,) = resource.operations
    assert isinstance(operation, GetCollection)
    return resource, operation
