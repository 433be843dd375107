"""The skeleton of a message type: names of its members and nothing else, so that reading it only looks for others."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Raw, inspect

from worker.messaging.shapes import OBJECTS, SEQUENCES, Fields, members_of, shape_of

_TEXTS = (
    inspect.StrType,
    inspect.BytesType,
    inspect.ByteArrayType,
    inspect.DateTimeType,
    inspect.TimeType,
    inspect.DateType,
    inspect.TimeDeltaType,
    inspect.UUIDType,
    inspect.DecimalType,
)
_NUMBERS = (inspect.IntType, inspect.FloatType)


def skeleton(cls: Any) -> Any:
    """Make a type that takes what ``cls`` takes and refuses other members; None where ``cls`` has no need of it.

    It looks into values no further than to objects: what else is wrong, ``cls`` finds.
    """
    making = _Making()
    made = making.of(shape_of(cls))
    if _is_leaf(made) or not making.lax:
        return None
    for twin in making.twins.values():
        for name, other in making.twins.items():
            setattr(twin, name, other)  # twins may hold one another: msgspec looks for their names here
    return making.twins[made] if isinstance(made, str) else made


class _Making:
    """Makes the twins of all objects inside one type; ``lax`` says whether one of them lets other members pass."""

    def __init__(self) -> None:
        self.twins: dict[str, Any] = {}
        self.lax = False
        self._names: dict[Any, str] = {}

    def of(self, shape: inspect.Type) -> Any:
        """The skeleton of a shape: ``Raw`` where no object is inside, the name of a twin, or a container."""
        members = members_of(shape)
        if len(members) == 1:
            return self._one(members[0])
        # what stands beside objects in a union must be told from them, and so cannot be Raw
        made = [self._one(member) for member in members]
        told = [_told(member) if _is_leaf(kind) else kind for member, kind in zip(members, made, strict=True)]
        if all(map(_is_leaf, made)) or any(kind is Raw for kind in told):
            return Raw
        return typing.Union[tuple(told)]  # noqa: UP007  # names of twins take no `|`

    def _one(self, shape: inspect.Type) -> Any:
        if isinstance(shape, OBJECTS):
            return self._twin(shape)
        if isinstance(shape, inspect.DictType):
            inner = self.of(shape.value_type)
            return Raw if _is_leaf(inner) else dict[str, inner]  # type: ignore[valid-type]
        if isinstance(shape, inspect.TupleType):
            items = tuple(self.of(item) for item in shape.item_types)
            return Raw if all(map(_is_leaf, items)) else tuple[items]  # type: ignore[valid-type]
        if isinstance(shape, SEQUENCES):
            inner = self.of(shape.item_type)
            return Raw if _is_leaf(inner) else list[inner]  # type: ignore[valid-type]
        return int if isinstance(shape, inspect.IntType) else Raw  # small numbers cost less than Raw

    def _twin(self, shape: Any) -> str:
        known = self._names.get(shape.cls)
        if known is not None:
            return known
        name = self._names[shape.cls] = f"Twin{len(self._names)}"
        fields = Fields(shape)
        names = {f"field{index}": written for index, written in enumerate(fields.types)}
        self.lax |= not getattr(shape, "forbid_unknown_fields", False)
        self.twins[name] = msgspec.defstruct(
            name,
            [(own, self.of(fields.types[written]), UNSET) for own, written in names.items()],
            rename=names,
            tag_field=fields.tag_field,
            tag=fields.tag,
            array_like=fields.by_position,
            forbid_unknown_fields=True,
            gc=False,
        )
        return name


def _is_leaf(kind: Any) -> bool:
    return kind is Raw or kind is int


def _told(shape: inspect.Type) -> Any:
    """How JSON writes what holds no object, so that it can be told from one; ``Raw`` for what may be anything."""
    if isinstance(shape, inspect.DictType):
        return dict[str, Raw]
    if isinstance(shape, (*SEQUENCES, inspect.TupleType)):
        return list[Raw]
    values: Sequence[Any] = ()
    if isinstance(shape, inspect.EnumType):
        values = [member.value for member in shape.cls]
    elif isinstance(shape, inspect.LiteralType):
        values = shape.values
    if isinstance(shape, _TEXTS) or (values and all(isinstance(value, str) for value in values)):
        return str
    if isinstance(shape, _NUMBERS):
        return float
    if isinstance(shape, inspect.BoolType):
        return bool
    return type(None) if isinstance(shape, inspect.NoneType) else Raw
