"""One value of a query string, read as the type that it is compared with."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import math
import types
import typing
import uuid
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from worker.http.resources.cursor import EXPECTED
from worker.messaging.faults import from_error
from worker.messaging.schema import schemas
from worker.resources.utc import has_utc

_INTEGER = 2**63
_DIGITS = 400
_DEPTH = 5
_LEAST, _MOST = -16_383, 131_071
"""Places of a decimal's first digit: PostgreSQL holds no others."""
_NO_UTC = "expected a time between the years 1 and 9999 in UTC"
_ENDLESS = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
_TEXTS = (str,)
_ORDERED = (int, float, decimal.Decimal, dt.datetime, dt.date, dt.time, dt.timedelta)
_PLAIN = (*_TEXTS, *_ORDERED, bool, uuid.UUID)


class Comparable:
    """Reads what a field is compared with: a text of a query string, or a value of a cursor.

    A field's constraints are left out: asking for what cannot be stored finds nothing, and is no fault. What no
    database can compare with is one: half a number, a number beyond 64 bits, a NUL in a text.

    Args:
        hint: the field's annotation.

    Attributes:
        schema: JSON Schema of what is read.
    """

    def __init__(self, hint: Any) -> None:
        self._type = bare(hint)
        self.schema: Mapping[str, Any] = schema_of(self._type)
        if self._type is str:
            self.schema = {**self.schema, "pattern": "^[^\\x00]*$"}
        elif self._type is int:
            self.schema = {**self.schema, "minimum": -_INTEGER, "maximum": _INTEGER - 1}

    def read(self, text: str) -> Any:
        """Return the value of a text.

        Raises:
            ValueError: the text is none; says what is expected.
        """
        try:
            value = msgspec.convert(text, self._type, strict=False)
        except (msgspec.ValidationError, RecursionError) as error:
            raise ValueError(from_error(error, hint=self._type).message) from None
        return self._checked(value)

    def restored(self, data: Any) -> Any:
        """Return the value that a cursor holds, None too: whatever may be stored, also what may not be asked for.

        Raises:
            ValueError: it is none.
        """
        if data is None:
            return None
        try:
            if self._type is float and isinstance(data, str):
                return _ENDLESS[data]
            value = msgspec.convert(data, self._type)
        except (msgspec.ValidationError, RecursionError, KeyError):
            raise ValueError(EXPECTED) from None
        if isinstance(value, int) and not -_INTEGER <= value < _INTEGER:
            raise ValueError(EXPECTED)
        if isinstance(value, decimal.Decimal) and not (
            value.is_finite() and _LEAST <= value.adjusted() <= _MOST
        ):
            raise ValueError(EXPECTED)
        if isinstance(value, dt.datetime) and not has_utc(value):
            raise ValueError(_NO_UTC)
        return value

    def _checked(self, value: Any) -> Any:
        if isinstance(value, str) and "\0" in value:
            raise ValueError("expected a text without NUL")
        if isinstance(value, int) and not -_INTEGER <= value < _INTEGER:
            raise ValueError("expected an integer of 64 bits")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("expected a finite number")
        if isinstance(value, dt.datetime) and not has_utc(value):
            raise ValueError(_NO_UTC)
        if isinstance(value, decimal.Decimal) and not (
            value.is_finite() and abs(value.adjusted()) <= _DIGITS
        ):
            raise ValueError("expected a finite number")
        return value


def kept(value: Any) -> Any:
    """Return a value as a cursor holds it: JSON has no numbers without end."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def schema_of(hint: Any) -> Mapping[str, Any]:
    """Return the JSON Schema of a type with everything that it names written out; ``{}`` where it names itself."""
    found, named = schemas([hint], "{name}")
    whole: Mapping[str, Any] = _written_out(found[0], named, 0)
    return whole


def _written_out(schema: Any, named: Mapping[str, Any], depth: int) -> Any:
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            return _written_out(named.get(schema["$ref"], {}), named, depth + 1) if depth < _DEPTH else {}
        return {key: _written_out(value, named, depth) for key, value in schema.items()}
    return [_written_out(item, named, depth) for item in schema] if isinstance(schema, list) else schema


def bare(hint: Any) -> Any:
    """Take constraints and None off an annotation; a time stays with or without its zone as it was declared."""
    if typing.get_origin(hint) is Annotated:
        inner, *notes = typing.get_args(hint)
        zones = [note.tz for note in notes if isinstance(note, Meta) and note.tz is not None]
        found = bare(inner)
        return Annotated[found, Meta(tz=zones[-1])] if zones and found is dt.datetime else found
    members = [one for one in typing.get_args(hint) if one is not type(None)]
    if _is_union(hint):
        return bare(members[0]) if len(members) == 1 else hint
    return hint


def is_comparable(hint: Any) -> bool:
    """Tell whether a text of a query string can be a value of this type."""
    kind = _class_of(hint)
    return typing.get_origin(kind) is typing.Literal or (
        isinstance(kind, type) and issubclass(kind, (*_PLAIN, enum.Enum))
    )


def is_text(hint: Any) -> bool:
    """Tell whether values of this type can contain a text."""
    kind = _class_of(hint)
    return isinstance(kind, type) and issubclass(kind, _TEXTS) and not issubclass(kind, enum.Enum)


def is_ordered(hint: Any) -> bool:
    """Tell whether values of this type can be more or less than others."""
    kind = _class_of(hint)
    return (
        isinstance(kind, type)
        and issubclass(kind, (*_ORDERED, *_TEXTS))
        and not issubclass(kind, (bool, enum.Enum))
    )


def _class_of(hint: Any) -> Any:
    found = bare(hint)
    return typing.get_args(found)[0] if typing.get_origin(found) is Annotated else found


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)
