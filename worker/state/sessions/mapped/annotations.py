"""What values a column takes, as an annotation that msgspec reads: of the class's own hint where it has one, else of its type."""

from __future__ import annotations

import builtins
import datetime as dt
import inspect
import sys
import types
import typing
from typing import Annotated, Any, ForwardRef, Literal, Union

from msgspec import Meta
from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Column,
    DateTime,
    Enum,
    Integer,
    Numeric,
    SmallInteger,
    String,
    Time,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from worker.state.statement import Dialect

_BITS = 63
"""Of an integer where the database tells no smaller ones: SQLite."""

_RULES = ("ge", "gt", "le", "lt", "max_length", "tz")
_SAME = {"gt": "ge", "lt": "le"}


def annotation_of(cls: type[Any], key: str, column: Column[Any], dialect: Dialect) -> Any:
    """Say what an attribute takes: type, limits, and None where its column is nullable.

    Args:
        cls: the mapped class.
        key: the attribute's name.
        column: of its table.
        dialect: of the database, for the limits of numbers.

    Raises:
        TypeError: neither the hint nor the column's type says so.
    """
    hint, nullable = _optional(_hint(cls, key))
    words = isinstance(column.type, Enum) and column.type.enum_class is None and hint is str
    base = _of_type(column.type) if hint is None or words else hint
    if base is None:
        raise TypeError(
            f"column type {column.type!r} says nothing of its values; write {key}: Mapped[str], or what it holds"
        )
    limits = _limits(column.type, base, dialect)
    annotation = base if limits is None else Annotated[base, limits]
    return annotation | None if column.nullable or (nullable and hint is not None) else annotation


def base_of(annotation: Any) -> Any:
    """Take an annotation's type out of its limits and its ``None``."""
    while typing.get_origin(annotation) is Annotated:
        annotation = annotation.__origin__
    inner, _ = _optional(annotation)
    return inner if inner is annotation else base_of(inner)


def _hint(cls: type[Any], key: str) -> Any:
    """The inside of ``Mapped[...]``; None where there is none, or it names what is known to type checkers only."""
    for owner in cls.__mro__:
        found = inspect.get_annotations(owner).get(key)
        if found is None:
            continue
        hint = _named(found, owner)
        if typing.get_origin(hint) is None or not typing.get_args(hint):
            return None
        if not hint.__origin__.__name__.endswith("Mapped"):
            return None
        return _named(typing.get_args(hint)[0], owner)
    return None


def _named(hint: Any, owner: type[Any]) -> Any:
    """Look up a hint that is written as text; None where it names what type checkers alone know."""
    text = hint.__forward_arg__ if isinstance(hint, ForwardRef) else hint
    if not isinstance(text, str):
        return hint
    try:
        # what typing.get_type_hints does, for one name: those of relationships may not be known here
        return eval(text, {**vars(builtins), **vars(sys.modules[owner.__module__])}, dict(vars(owner)))  # noqa: S307
    except Exception:
        return None


def _optional(hint: Any) -> tuple[Any, bool]:
    """Take ``None`` out of a union."""
    if typing.get_origin(hint) not in {Union, types.UnionType}:
        return hint, False
    others = tuple(part for part in typing.get_args(hint) if part is not type(None))
    if not others:
        return None, True
    return Union[others], len(others) < len(typing.get_args(hint))  # noqa: UP007  made of a tuple


def _of_type(kind: TypeEngine[Any]) -> Any:
    if isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    if isinstance(kind, JSON):
        return Any
    if isinstance(kind, Enum) and kind.enum_class is None:
        return Literal[tuple(kind.enums)]
    if isinstance(kind, ARRAY):
        item: Any = _of_type(kind.item_type)
        return None if item is None else list.__class_getitem__(item)
    try:
        found = kind.python_type
    except NotImplementedError:
        return None
    return found


def _limits(kind: TypeEngine[Any], annotation: Any, dialect: Dialect) -> Meta | None:
    """The limits that a column's type has, but those that the hint itself sets: a rule may stand once."""
    base = base_of(annotation)
    if isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    rules: dict[str, Any] = {}
    if base is str and isinstance(kind, String) and not isinstance(kind, Enum) and kind.length:
        rules = {"max_length": kind.length}
    elif base is int and isinstance(kind, Integer):
        bits = _BITS if dialect == "sqlite" else _bits(kind)
        rules = {"ge": -(2**bits), "le": 2**bits - 1}
    elif (base is dt.datetime and isinstance(kind, DateTime)) or (base is dt.time and isinstance(kind, Time)):
        rules = {"tz": bool(kind.timezone)}
    own = {name for meta in _metas(annotation) for name in _RULES if getattr(meta, name) is not None}
    own |= {_SAME[name] for name in own if name in _SAME}
    kept = {name: value for name, value in rules.items() if name not in own}
    return Meta(**kept) if kept else None


def _metas(annotation: Any) -> list[Meta]:
    return [meta for meta in getattr(annotation, "__metadata__", ()) if isinstance(meta, Meta)]


def _bits(kind: Integer) -> int:
    return 15 if isinstance(kind, SmallInteger) else 63 if isinstance(kind, BigInteger) else 31


def digits_of(column: Column[Any]) -> int | None:
    """Digits before the point that a column of decimals holds; None where that is not limited."""
    kind = column.type
    if not isinstance(kind, Numeric) or kind.precision is None:
        return None
    return kind.precision - (kind.scale or 0)
