"""Values between objects and documents: what BSON has no type for, and what a server cannot hold."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, Inexact
from typing import Any

import bson
import msgspec
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions, TypeCodec, TypeRegistry
from bson.decimal128 import Decimal128
from bson.int64 import Int64

DIGITS = 34
"""Of a decimal, at most."""
OWN = (bytes, dt.datetime, Decimal, uuid.UUID)
"""Types that BSON has; dates, times of day and lengths of time are texts in ISO 8601, as in JSON."""
_BITS = 63
_MILLI = 1000


class DecimalCodec(TypeCodec):
    """Decimals as BSON's own."""

    python_type = Decimal
    bson_type = Decimal128

    def transform_python(self, value: Any) -> Any:
        """Make BSON's."""
        return Decimal128(value)

    def transform_bson(self, value: Any) -> Any:
        """Make Python's."""
        return value.to_decimal()


OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True,
    tzinfo=dt.UTC,
    uuid_representation=UuidRepresentation.STANDARD,
    type_registry=TypeRegistry([DecimalCodec()]),
)
"""How documents are written and read: times with a zone, in UTC."""


def stored(value: Any) -> Any:
    """Return a value as a document has it; a number of more than 64 bits as the nearest there is, to compare with."""
    plain = msgspec.to_builtins(value, builtin_types=OWN, str_keys=True)
    if type(plain) is int and not -(2**_BITS) <= plain < 2**_BITS:
        try:
            return float(plain)
        except OverflowError:
            return float("inf") if plain > 0 else float("-inf")
    return plain


def as_stored(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document as it will be read again.

    Raises:
        ValueError: it cannot be stored.
        OverflowError: a number has more than 64 bits.
    """
    return bson.decode(bson.encode(document, codec_options=OPTIONS), codec_options=OPTIONS)


def plain(value: Any) -> Any:
    """Return what was read in Python's own types."""
    if type(value) is dict:
        return {name: plain(one) for name, one in value.items()}
    if type(value) is list:
        return [plain(one) for one in value]
    return int(value) if type(value) is Int64 else value


def is_text(value: Any) -> bool:
    """Whether it is text, without halves of characters."""
    try:
        value.encode()
    except (UnicodeError, AttributeError):
        return False
    return True


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are the same in a document; Python holds 1, 1.0 and true equal, and 1.0 and 1.00 of decimals."""
    if one != other:
        return False
    kept = bson.encode({"": one}, codec_options=OPTIONS)
    return kept == bson.encode({"": other}, codec_options=OPTIONS)


def near(value: Any, *, up: bool) -> Any:
    """Return what a document can hold next to a value: decimals have so many digits, and times milliseconds."""
    if isinstance(value, Decimal) and not fits(value):
        rounding = ROUND_CEILING if up else ROUND_FLOOR
        return Context(prec=DIGITS, Emin=-6143, Emax=6144, rounding=rounding, traps=[]).plus(value)
    if isinstance(value, dt.datetime) and value.microsecond % _MILLI:
        below = value - dt.timedelta(microseconds=value.microsecond % _MILLI)
        try:
            return below + dt.timedelta(microseconds=_MILLI) if up else below
        except OverflowError:  # the last millisecond that there is
            return below
    return value


def fits(value: Decimal) -> bool:
    """Whether a decimal is a number that BSON holds exactly."""
    if not value.is_finite():
        return False
    try:
        Context(prec=DIGITS, Emin=-6143, Emax=6144, traps=[Inexact]).plus(value)
        Decimal128(value)
    except (Inexact, ArithmeticError):
        return False
    return True
