"""What the fields of a message class are: names as written, annotations, and how each is read from text."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

import msgspec
from msgspec import inspect


class Field(msgspec.Struct, frozen=True):
    """A field of a message class; ``name`` is the one in JSON, ``hint`` its annotation."""

    name: str
    hint: Any
    required: bool


class TextField(msgspec.Struct, frozen=True):
    """How a field is read from text parameters.

    Attributes:
        name: as written.
        shape: ``list`` takes a repeated parameter, ``value`` one.
        required: whether it has no default.
        nested: whether a text may be a JSON object.
        texts: whether it may be just text as well.
    """

    name: str
    shape: Literal["list", "value"]
    required: bool
    nested: bool
    texts: bool

    def read(self, values: Sequence[str]) -> Any:
        """Turn the values of a parameter into the field's data.

        Raises:
            ValueError: a single value is given twice, or an object's text is not JSON.
        """
        if self.shape == "list":
            return [self._json(value) for value in values] if self.nested else list(values)
        if len(values) > 1:
            raise ValueError(f"is given {len(values)} times, expected once")
        return self._json(values[0]) if self.nested else values[0]

    def _json(self, text: str) -> Any:
        try:
            return msgspec.json.decode(text)
        except (ValueError, RecursionError):
            if self.texts:
                return text
            raise ValueError("expected an object as JSON text") from None


_LISTS = (inspect.ListType, inspect.SetType, inspect.FrozenSetType, inspect.VarTupleType, inspect.TupleType)
_OBJECTS = (
    inspect.StructType,
    inspect.DataclassType,
    inspect.TypedDictType,
    inspect.NamedTupleType,
    inspect.DictType,
    inspect.AnyType,
)
_TEXTS = (inspect.StrType, inspect.AnyType)


@cache
def fields_of(cls: Any) -> tuple[Field, ...] | None:
    """Return the fields of a class that is written as a JSON object; None for any other type."""
    if not isinstance(cls, type) or cls.__module__ == "builtins":
        return None
    try:
        described = inspect.type_info(cls)
        hints = typing.get_type_hints(cls, include_extras=True)
    except (TypeError, NameError):
        return None
    listed = getattr(described, "fields", None)
    if (
        listed is None
        or getattr(described, "array_like", False)
        or isinstance(described, inspect.NamedTupleType)
    ):
        return None
    return tuple(
        Field(field.encode_name, _unwrapped(hints.get(field.name, Any)), field.required) for field in listed
    )


def _unwrapped(hint: Any) -> Any:
    return (
        typing.get_args(hint)[0] if typing.get_origin(hint) in (typing.Required, typing.NotRequired) else hint
    )


def forbids_unknown(cls: Any) -> bool:
    """Tell whether a class takes no members that it does not declare."""
    config = getattr(cls, "__struct_config__", None)
    return bool(config and config.forbid_unknown_fields)


def tag_of(cls: Any) -> tuple[str | None, Any]:
    """Return the name and value of the member that tells a class from its neighbours in a union."""
    config = getattr(cls, "__struct_config__", None)
    return (config.tag_field, config.tag) if config else (None, None)


def text_fields(cls: type[Any]) -> list[TextField]:
    """Say how each field of a class is read from text."""
    described = inspect.type_info(cls)
    return [_text_field(field) for field in getattr(described, "fields", ())]


def _text_field(field: inspect.Field) -> TextField:
    kinds = _kinds(field.type)
    lists = [kind for kind in kinds if isinstance(kind, _LISTS)]
    items = kinds if not lists else [item for kind in lists for item in _items(kind)]
    return TextField(
        name=field.encode_name,
        shape="list" if lists else "value",
        required=field.required,
        nested=any(isinstance(kind, _OBJECTS) for kind in items),
        texts=any(isinstance(kind, _TEXTS) for kind in items),
    )


def _items(kind: inspect.Type) -> list[inspect.Type]:
    if isinstance(kind, inspect.TupleType):
        return [inner for item in kind.item_types for inner in _kinds(item)]
    return _kinds(kind.item_type) if isinstance(kind, inspect.CollectionType) else []


def _kinds(kind: inspect.Type) -> list[inspect.Type]:
    if isinstance(kind, inspect.Metadata):
        return _kinds(kind.type)
    if isinstance(kind, inspect.UnionType):
        return [inner for member in kind.types for inner in _kinds(member)]
    return [kind]


Components = Mapping[str, Any]
"""Named JSON Schemas."""


def schemas(classes: Sequence[Any], template: str) -> tuple[list[Any], Components]:
    """Return the JSON Schema of each class, and the named ones that they point to by ``template``.

    Types without a schema are ``{}``: anything.
    """
    try:
        found, components = msgspec.json.schema_components(classes, ref_template=template)
    except TypeError:
        return _one_by_one(classes, template)
    return list(found), components


def _one_by_one(classes: Sequence[Any], template: str) -> tuple[list[Any], Components]:
    """Do the same a class at a time, so that one without a schema does not spoil the others."""
    found: list[Any] = []
    components: dict[str, Any] = {}
    for cls in classes:
        try:
            (one,), more = msgspec.json.schema_components([cls], ref_template=template)
        except TypeError:
            one, more = {}, {}
        found.append(one)
        components.update(more)
    return found, components
