"""Conditions and order of a collection, as MongoDB's queries; a value is never taken for a part of the query."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from worker.mongo.values import is_text, near, stored
from worker.resources.stores import Filtered, Ordered

Query = dict[str, Any]

NOTHING: Query = {"_id": {"$in": []}}
_LONGEST = 32_000
"""Bytes of a pattern: MongoDB takes no longer ones."""
_COMPARED = {"gt": "$gt", "gte": "$gte", "lt": "$lt", "lte": "$lte"}


def condition(key: str, filtered: Filtered) -> Query:
    """Make the query of one condition."""
    value = filtered.value
    if filtered.how == "in":
        return {key: {"$in": [stored(one) for one in value if _comparable(one) and _is_held(one)]}}
    if not _comparable(value):
        return NOTHING
    if filtered.how == "eq":
        return {key: {"$eq": stored(value)}} if _is_held(value) else NOTHING
    if filtered.how == "contains":
        pattern = re.escape(str(value)).replace("\0", "\\x00")
        return {key: {"$regex": pattern, "$options": "i"}} if len(pattern.encode()) <= _LONGEST else NOTHING
    if value is None:
        return NOTHING
    return {key: {_COMPARED[filtered.how]: stored(near(value, up=filtered.how in {"gte", "lt"}))}}


def both(queries: Sequence[Query]) -> Query:
    """Make a query that asks for all of these."""
    return {"$and": list(queries)} if queries else {}


def after(order: Sequence[Ordered], keys: Mapping[str, str], values: Sequence[Any]) -> Query:
    """Make the query of what comes after an object in the order, by the values that its fields hold."""
    ways: list[Query] = []
    same: list[Query] = []
    for one, value in zip(order, values, strict=True):
        key = keys[one.field]
        beyond = _beyond(key, stored(value), descending=one.descending)
        if beyond is not None:
            ways.append(both([*same, beyond]))
        same.append({key: {"$eq": stored(value)}})
    return {"$or": ways} if ways else NOTHING


def _beyond(key: str, value: Any, *, descending: bool) -> Query | None:
    if value is None:
        return None if descending else {key: {"$ne": None}}
    if not descending:
        return {key: {"$gt": value}}
    return {"$or": [{key: {"$lt": value}}, {key: {"$eq": None}}]}


def _is_held(value: Any) -> bool:
    """Whether any document can have a value: one that is more exact than documents are is in none."""
    return bool(near(value, up=False) == value)


def _comparable(value: Any) -> bool:
    return not isinstance(value, str) or is_text(value)
