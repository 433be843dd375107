"""What no annotation says of a value: numbers that are none, digits, moments and lengths of time that a database cannot hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Interval

from worker.resources.finite import is_finite
from worker.resources.utc import has_utc
from worker.state.sessions.mapped.column_field import ColumnField
from worker.state.statement import Dialect

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - what SQLAlchemy counts from on SQLite
_BEFORE_POINT = 131_072
_AFTER_POINT = 16_383
"""Digits that PostgreSQL takes of any decimal; its driver sends more of them as other numbers."""


def unfit(field: ColumnField, value: Any, dialect: Dialect) -> str | None:
    """Say why a column cannot hold a value that fits its annotation; None where it can."""
    found = _ASKED.get(type(value))
    return None if found is None else found(field, value, dialect)


def holds_interval(value: timedelta) -> bool:
    """Tell whether SQLite can hold a length of time, which SQLAlchemy keeps there as a moment after the epoch."""
    try:
        _EPOCH + value
    except OverflowError:
        return False
    return True


def _text(field: ColumnField, value: str, dialect: Dialect) -> str | None:
    return "expected text without NUL characters" if "\0" in value and dialect == "postgresql" else None


def _float(field: ColumnField, value: float, dialect: Dialect) -> str | None:
    return None if math.isfinite(value) else _FINITE


def _decimal(field: ColumnField, value: Decimal, dialect: Dialect) -> str | None:
    if not value.is_finite():
        return _FINITE
    if not value:
        return None
    digits = field.digits
    if digits is not None and value.adjusted() >= digits:
        return f"expected at most {digits} digits before the point"
    if dialect == "sqlite":
        return None if math.isfinite(_as_float(value)) else "expected at most 308 digits before the point"
    if value.adjusted() >= _BEFORE_POINT:
        return f"expected at most {_BEFORE_POINT} digits before the point"
    if int(value.as_tuple().exponent) < -_AFTER_POINT:
        return f"expected at most {_AFTER_POINT} digits after the point"
    return None


def _as_float(value: Decimal) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _time(field: ColumnField, value: datetime, dialect: Dialect) -> str | None:
    return None if has_utc(value) else "expected a time between the years 1 and 9999 in UTC"


def _length(field: ColumnField, value: timedelta, dialect: Dialect) -> str | None:
    kept = dialect != "sqlite" or not isinstance(field.column.type, Interval) or holds_interval(value)
    return None if kept else "is longer than the database keeps"


def _data(field: ColumnField, value: Any, dialect: Dialect) -> str | None:
    return None if is_finite(value) else _FINITE


_FINITE = "expected a finite number"
_ASKED: dict[type[Any], Callable[[ColumnField, Any, Dialect], str | None]] = {
    str: _text,
    float: _float,
    Decimal: _decimal,
    datetime: _time,
    timedelta: _length,
    dict: _data,
    list: _data,
}
