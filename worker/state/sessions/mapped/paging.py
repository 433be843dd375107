"""A page of a collection: one statement for its objects and how many there are of all."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Float, Numeric, Select, func, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute

from worker.errors import Fault, InvalidMessage
from worker.resources.loosening import loosened
from worker.resources.stores import Page, Wanted
from worker.state.sessions.mapped.conditions import CONTAINS, after, condition, contains, fits, ordering

if TYPE_CHECKING:
    from worker.resources.resource import Resource
    from worker.state.sessions.handler_session import HandlerSession
    from worker.state.sessions.mapped.shape import MappedShape

_KEPT = 64
"""Statements of a class: making one takes longer than many a database takes to answer it."""


async def read_page(session: HandlerSession, resource: Resource, shape: MappedShape, wanted: Wanted) -> Page:
    """Read a page.

    Raises:
        InvalidMessage: the place that the page is to follow is none of this order.
    """
    cls = shape.cls
    first = None if wanted.conditions or wanted.after is not None else (wanted.order, wanted.limit)
    made = shape.first_pages.get(first)
    if made is not None:
        return await _read(session, shape, wanted, *made)
    conditions = [
        condition(getattr(cls, one.field), shape.stored(one.field, one.value), one.how, shape.dialect)
        for one in wanted.conditions
    ]
    if shape.dialect == "sqlite" and any(one.how == "contains" for one in wanted.conditions):
        await _folding(session)
    count = select(func.count()).select_from(cls).where(*conditions)
    # as one statement: a round trip less, and both see the same rows
    raw = [type_coerce(getattr(cls, name), Float()).label(f"kept_{name}") for name in _rounded(shape, wanted)]
    found: Select[Any] = select(cls, count.scalar_subquery(), *raw).where(*conditions).options(*shape.options)
    found = _ordered(found, resource, shape, wanted).limit(wanted.limit + 1)
    if first is not None and len(shape.first_pages) < _KEPT:
        shape.first_pages[first] = found, count
    return await _read(session, shape, wanted, found, count)


async def _read(
    session: HandlerSession, shape: MappedShape, wanted: Wanted, found: Select[Any], count: Select[Any]
) -> Page:
    rows = (await session.execute(found)).unique().all()
    if not rows:
        total = 0 if wanted.after is None else (await session.execute(count)).scalar_one()
        return Page([], total)
    items = [row[0] for row in rows[: wanted.limit]]
    last = None
    if len(rows) > wanted.limit and items:
        values = {**shape.values(items[-1]), **_exact(shape, wanted, rows[wanted.limit - 1][2:])}
        last = tuple([values.get(one.field) for one in wanted.order])
    return Page(items, rows[0][1], last)


def _rounded(shape: MappedShape, wanted: Wanted) -> list[str]:
    """Fields of the order that are read less exactly than they are kept: SQLite keeps decimals as floats."""
    if shape.dialect != "sqlite":
        return []
    kinds = [(one.field, shape.columns[one.field].column.type) for one in wanted.order]
    return [name for name, kind in kinds if isinstance(kind, Numeric) and kind.asdecimal]


def _exact(shape: MappedShape, wanted: Wanted, kept: Sequence[float | None]) -> dict[str, Decimal | None]:
    """What the last object of a page has of these, as it is kept."""
    names = _rounded(shape, wanted) if kept else []
    return {
        name: None if value is None else Decimal(repr(value)) for name, value in zip(names, kept, strict=True)
    }


def _ordered(found: Select[Any], resource: Resource, shape: MappedShape, wanted: Wanted) -> Select[Any]:
    parts: list[tuple[InstrumentedAttribute[Any], bool]] = []
    nullable: list[bool] = []
    for one in wanted.order:
        attribute = getattr(shape.cls, one.field)
        may_be_none = bool(shape.columns[one.field].column.nullable)
        parts.append((attribute, one.descending))
        nullable.append(may_be_none)
        found = found.order_by(ordering(attribute, one, nullable=may_be_none, dialect=shape.dialect))
    if wanted.after is None:
        return found
    return found.where(after(parts, _place(resource, shape, wanted), nullable))


def _place(resource: Resource, shape: MappedShape, wanted: Wanted) -> list[Any]:
    """Read the values of a place: the client could have made them up."""
    given = wanted.after or ()
    if len(given) != len(wanted.order):
        raise InvalidMessage(
            resource.name, [Fault("/next", "is of another order; leave it out to begin anew")]
        )
    read = []
    for one, value in zip(wanted.order, given, strict=True):
        field = shape.columns[one.field]
        try:
            kind = loosened(field.annotation)
            place = shape.stored(one.field, None if value is None else msgspec.convert(value, kind))
            if place is not None and not fits(getattr(shape.cls, one.field), place, shape.dialect):
                raise ValueError
            read.append(place)
        except (ValueError, TypeError):
            raise InvalidMessage(
                resource.name, [Fault("/next", "is no place in this order; leave it out to begin anew")]
            ) from None
    return read


async def _folding(session: HandlerSession) -> None:
    """Teach a connection to SQLite to compare texts whatever their case."""
    connection = await session.connection()
    lent: Any = (await connection.get_raw_connection()).driver_connection
    await lent.create_function(CONTAINS, 2, contains, deterministic=True)
