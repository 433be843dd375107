"""How deeply a body is nested: what copies, stores and writers of JSON could not follow is refused before it is kept."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import inspect

from worker.messaging.shapes import OBJECTS, SEQUENCES, Fields, members_of, shape_of
from worker.messaging.validation import ContentType

MOST = 100
"""Levels of objects and lists, the body itself among them; MongoDB promises no more."""
_CONTAINERS = bytes([*range(0x80, 0xA0), *range(0xDC, 0xE0)])
"""Of MessagePack: what objects and lists begin with; other bytes may look so."""


def is_too_deep(body: bytes, content_type: ContentType) -> bool:
    """Tell whether a body has more levels than ``MOST``; one that cannot be read has none."""
    if content_type == "json":
        begun = body.count(b"[") + body.count(b"{")
    else:
        begun = len(body) - len(body.translate(None, _CONTAINERS))
    if begun <= MOST:
        return False
    try:
        level = [msgspec.json.decode(body) if content_type == "json" else msgspec.msgpack.decode(body)]
    except RecursionError:
        return True
    except ValueError:
        return False
    for _ in range(MOST):
        level = [one for outer in level for one in _inner(outer)]
        if not level:
            return False
    return any(isinstance(one, dict | list) for one in level)


def is_shallow(cls: Any) -> bool:
    """Tell whether no body can have more levels that fits a class and has no members but those that the class has."""
    return _levels(shape_of(cls), {}) <= MOST


def _levels(shape: inspect.Type, known: dict[int, float]) -> float:
    """Levels that the values of a type may have; no end of them where it holds itself, or anything.

    ``known``: those of each part by its identity, once it was looked at; no end of them until then.
    """
    deepest = 0.0
    for one in members_of(shape):
        if id(one) not in known:
            known[id(one)] = math.inf
            known[id(one)] = _levels_of(one, known)
        deepest = max(deepest, known[id(one)])
    return deepest


def _levels_of(one: inspect.Type, known: dict[int, float]) -> float:
    inner: Iterable[inspect.Type] = ()
    if isinstance(one, OBJECTS):
        inner = Fields(one).types.values()
    elif isinstance(one, inspect.DictType):
        inner = (one.value_type,)
    elif isinstance(one, SEQUENCES):
        inner = (one.item_type,)
    elif isinstance(one, inspect.TupleType):
        inner = one.item_types
    elif isinstance(one, inspect.AnyType | inspect.RawType | inspect.CustomType | inspect.ExtType):
        return math.inf
    else:
        return 0.0
    return 1 + max((_levels(held, known) for held in inner), default=0.0)


def _inner(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
