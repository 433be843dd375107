"""The shape of documents: that of their class, whose identifier and version the store can make."""

from __future__ import annotations

import types
import typing
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from bson.errors import InvalidDocument
from msgspec import UNSET, Meta

from worker.errors import ConfigurationError, Fault, Stale
from worker.messaging.faults import escape
from worker.messaging.filling import filled
from worker.mongo.values import DIGITS, OWN, fits, is_text, plain
from worker.resources.class_shapes import class_shape
from worker.resources.finite import is_finite
from worker.resources.repeating import repeated
from worker.resources.shape import Shape
from worker.resources.utc import has_utc

_ID = "_id"
_PLAIN = frozenset({str, int, bool, type(None), datetime, Decimal, bytes, uuid.UUID})
"""What no number stands in that is none; decimals are asked by themselves."""


def document_shape(
    cls: type[Any], identifier: str, version: str | None, new_id: Callable[[], str]
) -> DocumentShape:
    """Make the shape of a class whose objects are kept as documents.

    Raises:
        ConfigurationError: they cannot be; says why.
    """
    name = f"resource {cls.__module__}.{cls.__qualname__}"
    try:
        inner = class_shape(cls)
    except (TypeError, NameError) as error:
        raise ConfigurationError(f"{name}: {error}") from error
    if inner is None:
        raise ConfigurationError(
            f"{name}: expected a msgspec Struct, a dataclass, an attrs class or a Pydantic model to be kept as documents"
        )
    for option, field in (("identifier", identifier), ("version", version)):
        if field is not None and field not in inner.fields:
            raise ConfigurationError(
                f"{name}: {option}={field!r}: expected the name of a field; there are: {', '.join(inner.fields)}"
            )
    if version is not None and _base(inner.fields[version]) is not int:
        raise ConfigurationError(f"{name}: version={version!r}: expected a field of whole numbers")
    wrong = [
        wire
        for wire, field in _wire_names(inner).items()
        if wire.startswith("$") or "." in wire or "\0" in wire or (wire == _ID and field != identifier)
    ]
    if wrong:
        raise ConfigurationError(f"{name}: fields that MongoDB cannot name so: {', '.join(map(repr, wrong))}")
    return DocumentShape(cls, inner, identifier, version, new_id)


class DocumentShape:
    """How objects become documents, and data, and back.

    Attributes:
        cls: of the objects.
        keys: name in the document by field: the identifier's is ``_id``.
        identifier: name of the field that identifies an object.
        version: name of the field that counts changes; None where none does.
    """

    def __init__(
        self, cls: type[Any], inner: Shape, identifier: str, version: str | None, new_id: Callable[[], str]
    ) -> None:
        self.cls = cls
        self.identifier = identifier
        self.version = version
        self._inner = inner
        self._make_id: Callable[[], Any] | None = {
            str: new_id,
            uuid.UUID: lambda: uuid.UUID(new_id()),
        }.get(_base(inner.fields[identifier]))
        made = {identifier} if self._make_id is not None else set()
        self._made = made | ({version} if version is not None else set())
        self.fields = inner.fields
        self.required = frozenset(inner.required - self._made)
        wires = {field: wire for wire, field in _wire_names(inner).items()}
        self.struct = _struct(inner, self._made, wires)
        self.keys = {**wires, identifier: _ID}
        self._naive = {name for name, hint in inner.fields.items() if _is_naive(hint)}
        self._whole = {name for name, hint in inner.fields.items() if _base(hint) is int}

    def make(self, values: Mapping[str, Any]) -> Any:
        """Make a new object, with a new identifier where none is given."""
        given = _given(values)
        if self._make_id is not None and given.get(self.identifier) is None:
            given[self.identifier] = self._make_id()
        if self.version is not None and given.get(self.version) is None:
            given[self.version] = 1
        return self._inner.make(given)

    def absent(self, name: str) -> Any:
        """Return a field's default; what the store makes is not made again."""
        return UNSET if name in self._made else self._inner.absent(name)

    def carried(self, values: Mapping[str, Any]) -> Any:
        """Make an object again of what a message carries."""
        return self.make(values)

    def fill(self, obj: Any, values: Mapping[str, Any]) -> Any:
        """Set the fields.

        Raises:
            Stale: the version is another one than the object's.
        """
        given = _given(values)
        if self.version is not None and self.version in given:
            seen, is_now = given.pop(self.version), getattr(obj, self.version)
            if seen != is_now:
                if repeated() is not None and is_now == seen + 1 and self._holds(obj, given):
                    return obj  # an earlier try of this request has changed it
                raise Stale(f"{self.version} is {is_now!r} by now, not {seen!r}: read it again")
        return self._inner.fill(obj, given)

    def _holds(self, obj: Any, values: Mapping[str, Any]) -> bool:
        held = self.values(obj)
        return all(held[name] == value for name, value in values.items())

    def replace(self, obj: Any, values: Mapping[str, Any]) -> Any:
        """Set all fields but the identifier and the version."""
        kept = {name: getattr(obj, name) for name in (self.identifier, self.version) if name is not None}
        new = self.values(self.make({**kept, **_given(values), self.identifier: kept[self.identifier]}))
        unset = {name: value for name, value in new.items() if value is UNSET}
        return self._inner.fill(self.fill(obj, new), unset)

    def values(self, obj: Any) -> dict[str, Any]:
        """Read the fields."""
        return self._inner.values(obj)

    def copy(self, obj: Any) -> Any:
        """Copy an object."""
        return self._inner.copy(obj)

    def check(self, obj: Any) -> Sequence[Fault]:
        """Ask the constraints, and what BSON asks beside them."""
        return [*self._inner.check(obj), *_unfit(_given(self.values(obj)))]

    def counted(self, obj: Any, version: int) -> Any:
        """Return the object with its next version."""
        assert self.version is not None
        return self._inner.fill(obj, {self.version: version})

    def document(self, obj: Any) -> dict[str, Any]:
        """Make an object's document.

        Raises:
            InvalidDocument: names of members inside of it are no texts.
        """
        given = _given(self.values(obj))
        try:
            values = msgspec.to_builtins(given, builtin_types=OWN, str_keys=True)
        except TypeError as error:  # MessagePack has bytes and times as names, too
            wrong = ", ".join(name for name, value in given.items() if not _has_names(value))
            if not wrong:
                raise
            raise InvalidDocument(f"{wrong}: expected texts as the names of members") from error
        return {self.keys[name]: value for name, value in values.items()}

    def read(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields' values that a document holds; members that the class does not have are left out.

        Raises:
            ValueError: it does not fit.
        """
        found: dict[str, Any] = {}
        for name, key in self.keys.items():
            if key not in document:
                continue
            value = plain(document[key])
            if name in self._naive and isinstance(value, datetime):
                value = value.astimezone(UTC).replace(tzinfo=None)
            elif name in self._whole and type(value) is float and value.is_integer():
                value = int(value)  # a shell writes all numbers so
            hint = _loose(self.fields[name])
            found[name] = filled(msgspec.convert(value, hint, builtin_types=OWN, str_keys=True))
        return found

    def made_of(self, document: Mapping[str, Any]) -> Any:
        """Make the object of a document; what it lacks has its default.

        Raises:
            ValueError: it does not fit.
        """
        try:
            return self._inner.make(self.read(document))
        except TypeError as error:  # a field is missing
            raise ValueError(str(error)) from error

    def refilled(self, obj: Any, document: Mapping[str, Any]) -> Any:
        """Give an object what its document holds."""
        return self._inner.fill(obj, self.read(document))


def _struct(inner: Shape, made: set[str], wires: Mapping[str, str]) -> type[msgspec.Struct]:
    fields: list[Any] = []
    for field in msgspec.structs.fields(inner.struct):
        hint = _bounded(inner.fields[field.name])
        if field.name in made:
            fields.append((field.name, hint, UNSET))
        elif field.required:
            fields.append((field.name, hint))
        elif field.default is not msgspec.NODEFAULT:
            fields.append((field.name, hint, msgspec.field(default=field.default)))
        else:
            fields.append((field.name, hint, msgspec.field(default_factory=field.default_factory)))
    config = inner.struct.__struct_config__
    return msgspec.defstruct(
        inner.struct.__name__,
        fields,
        kw_only=True,
        rename=dict(wires),
        tag_field=config.tag_field,
        tag=config.tag,
    )


_WHOLE = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""Whole numbers that BSON has."""


def _bounded(hint: Any) -> Any:
    """A field's type as it is told: plain whole numbers have the bounds of those in documents."""
    if hint is int:
        return _WHOLE
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        return typing.Union[tuple(map(_bounded, typing.get_args(hint)))]  # noqa: UP007  # of types known only now
    if typing.get_origin(hint) is list:
        return list[_bounded(typing.get_args(hint)[0])]  # type: ignore[misc]  # of a type known only now
    return hint


def _wire_names(shape: Shape) -> dict[str, str]:
    """Field by its name in the document, which is that in JSON."""
    struct = shape.struct
    return dict(zip(struct.__struct_encode_fields__, struct.__struct_fields__, strict=True))


def _has_names(value: Any) -> bool:
    """Whether the names of members inside a value are texts, or numbers."""
    try:
        msgspec.to_builtins(value, builtin_types=OWN, str_keys=True)
    except TypeError:
        return False
    return True


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not UNSET}


def _base(hint: Any) -> Any:
    """A field's type without its constraints and without None."""
    if typing.get_origin(hint) is typing.Annotated:
        return _base(typing.get_args(hint)[0])
    others = [one for one in typing.get_args(hint) if one is not type(None)]
    return _base(others[0]) if len(others) == 1 and type(None) in typing.get_args(hint) else hint


def _loose(hint: Any) -> Any:
    """A field's type without its constraints: what was stored is read, whatever they are by now."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint


def _is_naive(hint: Any) -> bool:
    parts = [hint, *typing.get_args(hint)]
    metas = [meta for part in parts for meta in getattr(part, "__metadata__", ()) if isinstance(meta, Meta)]
    return _base(hint) is datetime and any(meta.tz is False for meta in metas)


def _unfit(values: Mapping[str, Any]) -> list[Fault]:
    faults = []
    for name, value in values.items():
        if isinstance(value, datetime) and not has_utc(value):
            faults.append(Fault(f"/{escape(name)}", "expected a time between the years 1 and 9999 in UTC"))
        elif type(value) not in _PLAIN and not is_finite(msgspec.to_builtins(value, builtin_types=OWN)):
            faults.append(Fault(f"/{escape(name)}", "expected a finite number"))
        elif isinstance(value, str) and not is_text(value):
            faults.append(Fault(f"/{escape(name)}", "expected whole characters"))
        elif isinstance(value, Decimal) and not fits(value):
            faults.append(Fault(f"/{escape(name)}", f"expected a number of at most {DIGITS} digits"))
    return faults
