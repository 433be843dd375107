"""Writes what an operation answers, in each of the formats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from worker.http.media import JSON, written
from worker.http.problems import MEDIA_TYPE, Problem
from worker.http.resources.formats import ANSWERS, Format
from worker.http.resources.hydra import Search, collection, error
from worker.http.resources.jsonld import context_path, described


class Representation(msgspec.Struct, frozen=True, gc=False):
    """A body and its content type."""

    media_type: str
    body: bytes


class Member(NamedTuple):
    """An object of a collection.

    Attributes:
        values: what msgspec writes as an object.
        path: of the object; None where it has none.
    """

    values: Any
    path: str | None


_json = msgspec.json.Encoder().encode


def one(values: Any, format: Format, name: str, path: str | None) -> Representation:
    """Write an object.

    Args:
        values: what msgspec writes as an object; None is written as null, whatever the format.
        format: to write it in.
        name: of its resource.
        path: of the object; None where it has none.
    """
    if format == "json_ld" and values is not None:
        values = {"@context": context_path(name), **described(values, name, path)}
    return plain(values, format)


def many(
    members: Sequence[Member],
    format: Format,
    name: str,
    *,
    path: str,
    query: Sequence[tuple[str, str]],
    total: int,
    cursor: str | None,
    search: Search | None = None,
) -> Representation:
    """Write a page of a collection.

    Args:
        members: its objects.
        format: to write it in.
        name: of their resource.
        path: of the collection, as it was asked.
        query: its parameters, as they were asked.
        total: objects of all pages.
        cursor: of the page that follows; None where none does.
        search: what may be asked of it; None where that is not said.
    """
    if format == "json_ld":
        items = [described(member.values, name, member.path) for member in members]
        return plain(collection(name, path, query, items, total, cursor, search), format)
    page = {"items": [member.values for member in members], "total": total, "next": cursor}
    return plain(page, format)


def problem(raised: Problem, format: Format) -> Representation:
    """Write a problem: always as ``application/problem+json``, which Hydra's members join where JSON-LD is wanted."""
    if format != "json_ld":
        return Representation(MEDIA_TYPE, raised.encoded())
    return Representation(MEDIA_TYPE, _json(error(raised)))


def plain(value: Any, format: Format) -> Representation:
    """Write what msgspec writes, and nothing about it."""
    if format == "json":
        return Representation(JSON, _json(value))
    if format == "msgpack":
        try:
            return Representation(ANSWERS.names[format], written(value, "msgpack"))
        except OverflowError:
            # MessagePack has no integers beyond 64 bits; JSON has
            return Representation(JSON, _json(value))
    return Representation(ANSWERS.names[format], _json(value))
