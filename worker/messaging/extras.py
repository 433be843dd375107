"""Members that a message's type does not have: the intake refuses them, as they are mostly misspelt.

Found in two steps. A skeleton of the type, made once, reads the bytes a second time and keeps nothing: what is
right passes at that price. Only what the skeleton refuses is decoded and walked, for every pointer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal

import msgspec
from msgspec import inspect

from worker.errors import Fault
from worker.messaging.faults import MAX_FAULTS, escape, unknown_member
from worker.messaging.shapes import OBJECTS, SEQUENCES, Fields, member_of, shape_of
from worker.messaging.skeleton import skeleton

MAX_DEPTH = 100
"""Levels that are walked; what lies deeper is taken as it is."""


def unknown_members(cls: Any, data: Any) -> list[Fault]:
    """Return a fault for every member of decoded data that the type, or one inside it, does not have."""
    faults: list[Fault] = []
    _walk(shape_of(cls), data, "", faults, 0)
    return faults


def checker(cls: Any, content_type: Literal["json", "msgpack"]) -> Callable[[bytes], object] | None:
    """Return what raises for bytes that may hold such members; None where the type has a place for everything.

    It may raise for what is right as well: ``unknown_members`` decides.
    """
    return _checker(cls, content_type)


@cache
def _checker(cls: Any, content_type: Literal["json", "msgpack"]) -> Callable[[bytes], object] | None:
    wanted = skeleton(cls)
    if wanted is None:
        return None
    return (msgspec.json.Decoder if content_type == "json" else msgspec.msgpack.Decoder)(wanted).decode


def _walk(shape: inspect.Type, value: Any, pointer: str, faults: list[Fault], depth: int) -> None:
    if depth > MAX_DEPTH or len(faults) >= MAX_FAULTS or not isinstance(value, Mapping | list | tuple):
        return
    chosen = member_of(shape, value)
    if isinstance(chosen, OBJECTS):
        _members(Fields(chosen), value, pointer, faults, depth)
    elif isinstance(chosen, inspect.DictType) and isinstance(value, Mapping):
        for name, item in value.items():
            _walk(chosen.value_type, item, f"{pointer}/{escape(str(name))}", faults, depth + 1)
    elif isinstance(chosen, inspect.TupleType) and not isinstance(value, Mapping):
        for index, (inner, item) in enumerate(zip(chosen.item_types, value, strict=False)):
            _walk(inner, item, f"{pointer}/{index}", faults, depth + 1)
    elif isinstance(chosen, SEQUENCES) and not isinstance(value, Mapping):
        for index, item in enumerate(value):
            _walk(chosen.item_type, item, f"{pointer}/{index}", faults, depth + 1)


def _members(fields: Fields, value: Any, pointer: str, faults: list[Fault], depth: int) -> None:
    if isinstance(value, Mapping) and not fields.by_position:
        for name, item in value.items():
            where = f"{pointer}/{escape(str(name))}"
            if name in fields.types:
                _walk(fields.types[name], item, where, faults, depth + 1)
            elif name != fields.tag_field:
                faults.append(Fault(where, unknown_member(str(name), fields.types)))
    elif fields.by_position and not isinstance(value, Mapping):
        shapes = list(fields.types.values())
        for index, item in enumerate(value, start=0 if fields.tag_field is None else -1):
            where = f"{pointer}/{index + (fields.tag_field is not None)}"
            if index >= len(shapes):
                faults.append(Fault(where, "is not known"))
            elif index >= 0:
                _walk(shapes[index], item, where, faults, depth + 1)
