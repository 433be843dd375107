"""Dataclasses as msgspec reads them, with their defaults.

Where a member is missing, msgspec leaves it to the class: the object has no such attribute of its own, and would be written
without it. What was read is written whole, like what was made in Python: a default holds as it was when the message came.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

_PLAIN = (str, int, float, bytes, type(None))
_SEVERAL = (list, tuple, set, frozenset)


def filling(cls: Any) -> Callable[[Any], Any] | None:
    """Return what gives objects read as this type their defaults; None where nothing in it needs that."""
    try:
        return filled if any(_defaults(one) for one in _dataclasses(msgspec.inspect.type_info(cls))) else None
    except (TypeError, NameError):  # it cannot be read at all, which is told elsewhere
        return None


def filled(read: Any) -> Any:
    """Give all dataclasses in what was read the defaults that they lack, and return it."""
    left, seen = [read], set()
    while left:
        one = left.pop()
        if isinstance(one, _PLAIN) or id(one) in seen:
            continue
        seen.add(id(one))  # what a class adds to itself as it is made may lead back to it
        if isinstance(one, Mapping):
            left += one.values()
        elif isinstance(one, _SEVERAL):
            left += one
        else:
            kind: Any = type(one)
            held = getattr(one, "__dict__", None)
            if held is not None:
                for name, default in _defaults(kind):
                    held.setdefault(name, default)
            left += (getattr(one, name, None) for name in _names(kind))
    return read


@cache
def _defaults(cls: Any) -> tuple[tuple[str, Any], ...]:
    """Fields of a dataclass that its objects may not have themselves, with the value that the class has for them."""
    if not hasattr(cls, "__dataclass_fields__") or not cls.__dictoffset__:
        return ()
    return tuple(
        (field.name, field.default)
        for field in dataclasses.fields(cls)
        if field.init
        and getattr(cls, field.name, dataclasses.MISSING) is field.default is not dataclasses.MISSING
    )


@cache
def _names(cls: Any) -> tuple[str, ...]:
    """The fields of what may hold dataclasses."""
    if issubclass(cls, msgspec.Struct):
        fields: tuple[str, ...] = cls.__struct_fields__
        return fields
    if dataclasses.is_dataclass(cls):
        return tuple(field.name for field in dataclasses.fields(cls))
    return tuple(attribute.name for attribute in getattr(cls, "__attrs_attrs__", ()))


def _dataclasses(info: msgspec.inspect.Type) -> Iterator[Any]:
    """The classes of this kind that a type holds, at any depth."""
    seen: set[int] = set()
    left: list[Any] = [info]
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, msgspec.inspect.DataclassType):
            yield one.cls
        if isinstance(one, msgspec.inspect.Type | msgspec.inspect.Field):
            left += (getattr(one, name) for name in one.__struct_fields__)
        elif isinstance(one, tuple):
            left += one
