"""Conditions and order of a collection, as SQL; every value is a parameter, and one that a column cannot hold equals nothing."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Context, Decimal
from typing import Any

from sqlalchemy import ColumnElement, Integer, Interval, Numeric, and_, false, func, literal, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from worker.resources.stores import How, Ordered
from worker.state.sessions.mapped.unfit import holds_interval
from worker.state.statement import Dialect

CONTAINS = "worker_contains"
"""Function of SQL on SQLite, whose own functions fold ASCII letters alone."""

_EXACT = Context(prec=2000)
_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def contains(text: object, folded: str) -> int | None:
    """Tell whether a text has another one in it, whatever the case; for SQLite, in its thread."""
    return int(folded in text.casefold()) if isinstance(text, str) else None


def condition(
    attribute: InstrumentedAttribute[Any], value: Any, how: How, dialect: Dialect
) -> ColumnElement[bool]:
    """Make the SQL of one condition."""
    if how == "in":
        fitting = [one for one in value if one is not None and _is_held(attribute, one, dialect)]
        found = attribute.in_(fitting) if fitting else false()
        return or_(found, attribute.is_(None)) if None in value else found
    if how == "contains":
        return _contains(attribute, str(value), dialect)
    if how == "eq":
        if value is None:
            return attribute.is_(None)
        return attribute == value if _is_held(attribute, value, dialect) else false()
    return _compared(attribute, how, value, dialect)


def _contains(attribute: InstrumentedAttribute[Any], text: str, dialect: Dialect) -> ColumnElement[bool]:
    if dialect == "sqlite":
        folded = _storable(text)
        return false() if folded is None else getattr(func, CONTAINS)(attribute, folded.casefold()) == 1
    if _storable(text) is None or "\0" in text:
        return false()
    return attribute.icontains(text, autoescape=True)


def _compared(
    attribute: InstrumentedAttribute[Any], how: str, value: Any, dialect: Dialect
) -> ColumnElement[bool]:
    if value is None:
        return false()
    if isinstance(value, int | timedelta) and not fits(attribute, value, dialect):
        above = value > timedelta() if isinstance(value, timedelta) else value > 0
        beyond = above == (how in {"lt", "lte"})
        return attribute.is_not(None) if beyond else false()
    if not fits(attribute, value, dialect):
        return false()
    # of the column's own type a decimal would be rounded to its digits
    asked = literal(value, Numeric()) if isinstance(value, Decimal) else value
    compared: ColumnElement[bool] = _COMPARED[how](attribute, asked)
    return compared


def fits(attribute: InstrumentedAttribute[Any], value: Any, dialect: Dialect) -> bool:
    """Tell whether a column can hold a value, as far as drivers refuse it before they ask."""
    if isinstance(value, str):
        return _storable(value) is not None and not ("\0" in value and dialect == "postgresql")
    if isinstance(value, timedelta):
        return dialect != "sqlite" or not isinstance(attribute.type, Interval) or holds_interval(value)
    bits = _bits(attribute, value, dialect)
    return bits is None or -(2**bits) <= value < 2**bits


def _is_held(attribute: InstrumentedAttribute[Any], value: Any, dialect: Dialect) -> bool:
    """Tell whether any row can have a value: one with more digits than its column has none."""
    if not fits(attribute, value, dialect):
        return False
    kind = attribute.type
    if not isinstance(value, Decimal) or not isinstance(kind, Numeric):
        return True
    exponent = value.normalize(_EXACT).as_tuple().exponent
    if not isinstance(exponent, int) or (kind.scale is not None and exponent < -kind.scale):
        return False
    return kind.precision is None or value.adjusted() < kind.precision - (kind.scale or 0)


def _storable(text: str) -> str | None:
    """The text; None where it has halves of characters, which are no text."""
    try:
        text.encode()
    except UnicodeError:
        return None
    return text


def _bits(attribute: InstrumentedAttribute[Any], value: Any, dialect: Dialect) -> int | None:
    if type(value) is not int or not isinstance(attribute.type, Integer):
        return None
    if dialect == "sqlite":
        return 63
    return {"small_integer": 15, "big_integer": 63}.get(attribute.type.__visit_name__, 31)


def ordering(
    attribute: InstrumentedAttribute[Any], ordered: Ordered, *, nullable: bool, dialect: Dialect
) -> Any:
    """Make the SQL of one part of the order: nothing comes before everything, as on SQLite and MongoDB."""
    found = attribute.desc() if ordered.descending else attribute.asc()
    if not nullable or dialect == "sqlite":
        return found
    return found.nulls_last() if ordered.descending else found.nulls_first()


def after(
    parts: Sequence[tuple[InstrumentedAttribute[Any], bool]], values: Sequence[Any], nullable: Sequence[bool]
) -> ColumnElement[bool]:
    """Make the SQL of what comes after a place in the order.

    Args:
        parts: attribute, and whether it descends, of each part of the order.
        values: what each held in the last object before.
        nullable: whether each may hold nothing.
    """
    ways: list[ColumnElement[bool]] = []
    same: list[ColumnElement[bool]] = []
    for (attribute, descending), value, may_be_none in zip(parts, values, nullable, strict=True):
        ways.append(and_(*same, _beyond(attribute, value, descending=descending, nullable=may_be_none)))
        same.append(attribute.is_(None) if value is None else attribute == value)
    return or_(*ways) if ways else true()


def _beyond(
    attribute: InstrumentedAttribute[Any], value: Any, *, descending: bool, nullable: bool
) -> ColumnElement[bool]:
    if value is None:
        return false() if descending else attribute.is_not(None)
    place = literal(value, attribute.type)  # SQLAlchemy itself compares no booleans by order
    above: ColumnElement[bool] = attribute > place
    below: ColumnElement[bool] = attribute < place
    if not descending:
        return above
    return or_(below, attribute.is_(None)) if nullable else below
