"""Shapes of message types as msgspec describes them: what is an object, what a sequence, which member of a union."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from msgspec import inspect

OBJECTS = (
    inspect.StructType,
    inspect.DataclassType,
    inspect.TypedDictType,
    inspect.NamedTupleType,
)
"""Types with named fields."""
SEQUENCES = (inspect.ListType, inspect.SetType, inspect.FrozenSetType, inspect.VarTupleType)
"""Types with items of one type."""


class Fields:
    """The fields of a type: their types by name as written, in order, and how they stand there."""

    def __init__(
        self,
        shape: inspect.StructType | inspect.DataclassType | inspect.TypedDictType | inspect.NamedTupleType,
    ) -> None:
        self.types: Mapping[str, inspect.Type] = {field.encode_name: field.type for field in shape.fields}
        self.tag_field: str | None = getattr(shape, "tag_field", None)
        self.tag: Any = getattr(shape, "tag", None)
        self.by_position = isinstance(shape, inspect.NamedTupleType) or getattr(shape, "array_like", False)


def shape_of(cls: Any) -> inspect.Type:
    """Describe a type, once; one that cannot be described is anything."""
    return _shape_of(cls)


@cache
def _shape_of(cls: Any) -> inspect.Type:
    try:
        return inspect.type_info(cls)
    except (TypeError, NameError):
        return inspect.AnyType()


def without_meta(shape: inspect.Type) -> inspect.Type:
    """Take constraints' and schemas' wrapping away."""
    while isinstance(shape, inspect.Metadata):
        shape = shape.type
    return shape


def members_of(shape: inspect.Type) -> list[inspect.Type]:
    """Types that a union joins; of any other type itself."""
    shape = without_meta(shape)
    if isinstance(shape, inspect.UnionType):
        return [inner for member in shape.types for inner in members_of(member)]
    return [shape]


def member_of(shape: inspect.Type, value: Any) -> inspect.Type | None:
    """Choose the type that a value, an object or a list, is meant for: by its tag, else the one that takes it."""
    fitting: list[inspect.Type] = []
    for member in members_of(shape):
        if isinstance(member, OBJECTS):
            fields = Fields(member)
            if fields.by_position == isinstance(value, Mapping):
                continue
            if fields.tag_field is not None and _tag(fields, value) != fields.tag:
                continue
            fitting.append(member)
        elif isinstance(value, Mapping):
            if isinstance(member, inspect.DictType):
                fitting.append(member)
        elif isinstance(member, (*SEQUENCES, inspect.TupleType)):
            fitting.append(member)
    return fitting[0] if len(fitting) == 1 else None


def _tag(fields: Fields, value: Any) -> Any:
    if isinstance(value, Mapping):
        # a lone type may be written without its tag
        return value.get(fields.tag_field, fields.tag)
    return value[0] if value else None
