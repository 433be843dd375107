"""The shape of a mapped class: its columns as fields; relationships are no part of it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
from msgspec import NODEFAULT, UNSET
from sqlalchemy import JSON, Select, UniqueConstraint, bindparam, inspect, select
from sqlalchemy.orm import Mapper, undefer
from sqlalchemy.orm.attributes import flag_modified, set_committed_value
from sqlalchemy.sql import ClauseElement

from worker.errors import ConfigurationError, Fault, Stale
from worker.messaging.faults import escape
from worker.resources.shape import FieldShape, Unsettable, struct_faults, struct_of
from worker.resources.utc import has_utc
from worker.state.sessions.mapped.column_field import ColumnField, column_fields, init_parameters
from worker.state.sessions.mapped.unfit import unfit
from worker.state.statement import Dialect


def mapped_shape(cls: type[Any], identifier: str, dialect: Dialect) -> MappedShape:
    """Make the shape of a mapped class.

    Args:
        cls: mapped by SQLAlchemy.
        identifier: name of the attribute that identifies an object.
        dialect: of the database, which limits what its columns hold.

    Raises:
        ConfigurationError: it cannot be a resource; says why.
    """
    asked: Any = cls
    return _mapped_shape(asked, identifier, dialect)


@cache
def _mapped_shape(cls: Any, identifier: str, dialect: Dialect) -> MappedShape:
    # one shape for the resource and for its messages: documents have one schema of it
    mapper: Mapper[Any] = inspect(cls)
    try:
        fields = column_fields(cls, mapper, dialect)
        parameters = init_parameters(cls)
        _identifies(mapper, identifier, {field.name: field for field in fields})
        return MappedShape(cls, mapper, identifier, fields, parameters, dialect)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"resource {cls.__module__}.{cls.__qualname__}: {error}") from error


def _identifies(mapper: Mapper[Any], identifier: str, fields: Mapping[str, ColumnField]) -> None:
    """Make sure that an attribute tells objects apart."""
    field = fields.get(identifier)
    if field is None:
        known = ", ".join(fields)
        keys = [name for name, one in fields.items() if mapper.primary_key == (one.column,)]
        key = f"; its primary key is identifier={keys[0]!r}" if keys else ""
        raise TypeError(
            f"identifier={identifier!r}: expected the name of a column's attribute; there are: {known}{key}"
        )
    if mapper.primary_key == (field.column,):
        return
    column = field.column
    alone: list[Any] = [
        constraint.columns
        for constraint in column.table.constraints
        if isinstance(constraint, UniqueConstraint) and len(constraint.columns) == 1
    ]
    alone += [index.columns for index in column.table.indexes if index.unique and len(index.expressions) == 1]
    if not column.nullable and (column.unique or any(column.name in columns for columns in alone)):
        return
    key = ", ".join(one.name for one in mapper.primary_key)
    raise TypeError(
        f"identifier={identifier!r}: it does not tell objects apart, the primary key is ({key}); expected a primary key "
        "of one column, or an attribute whose column is unique and not nullable"
    )


class MappedShape(FieldShape):
    """How objects of a mapped class become data and back.

    Attributes:
        mapper: SQLAlchemy's.
        identifier: name of the attribute that identifies an object.
        columns: the fields, by name.
        dialect: of the database.
        version: name of the attribute that counts changes; None where none does.
        options: of a statement that reads objects: their columns are all read.
        first_pages: statements that read the first page and the total without conditions, by order and size of the page.
    """

    def __init__(
        self,
        cls: type[Any],
        mapper: Mapper[Any],
        identifier: str,
        fields: Sequence[ColumnField],
        parameters: set[str] | None,
        dialect: Dialect,
    ) -> None:
        annotations = {field.name: field.annotation for field in fields}
        defaults = {field.name: field.default for field in fields if field.default is not NODEFAULT}
        struct = struct_of(cls.__name__, annotations, defaults)
        super().__init__(cls, annotations, defaults, struct=struct)
        self.mapper = mapper
        self.identifier = identifier
        self.columns = {field.name: field for field in fields}
        self.dialect: Dialect = dialect
        self._parameters = parameters
        version = mapper.version_id_col
        self.version = next((field.name for field in fields if field.column is version), None)
        self._json = frozenset(field.name for field in fields if isinstance(field.column.type, JSON))
        self._zoned = tuple(field.name for field in fields if field.zoned)
        self._names = tuple(self.columns)
        self._worked_out = tuple(field.name for field in fields if field.is_worked_out)
        self._finding: dict[
            tuple[tuple[str, ...], bool], Select[Any]
        ] = {}  # one for each path of the resource
        self.first_pages: dict[Any, tuple[Select[Any], Select[Any]]] = {}
        self._plain = {name: value for name, value in defaults.items() if value is not UNSET}
        self.options = tuple(
            undefer(getattr(cls, name)) for name in self.columns if mapper.column_attrs[name].deferred
        )

    def make(self, values: Mapping[str, Any]) -> Any:
        """Make a new object; what it is not given and only the database knows, that fills in."""
        given = {**self._plain, **self._settable(values, None)}
        if self._parameters is None:
            return self.cls(**given)
        wanted = {name: value for name, value in given.items() if name in self._parameters}
        made = self.cls(**wanted)
        for name, value in given.items():
            if name not in wanted:
                setattr(made, name, value)
        return made

    def absent(self, name: str) -> Any:
        """Return a column's default: a value, or an expression of SQL until it is stored."""
        field = self.columns[name]
        return UNSET if field.kept else field.absent()

    def carried(self, values: Mapping[str, Any]) -> Any:
        """Make an object of what a message carries: what is computed the database knows, but for a key that it made."""
        columns = self.columns
        computed = {name: value for name, value in values.items() if columns[name].computed}
        made = self.make({name: value for name, value in values.items() if name not in computed})
        for name, value in computed.items():
            if columns[name].column.primary_key:
                setattr(made, name, value)
        return made

    def fill(self, obj: Any, values: Mapping[str, Any]) -> Any:
        """Set the fields.

        Raises:
            ValueError: a value is computed by the database.
            Stale: the version is another one than the object's.
        """
        for name, value in self._settable(values, obj).items():
            self._set(obj, name, value)
        return obj

    def replace(self, obj: Any, values: Mapping[str, Any]) -> Any:
        """Set all fields but the identifier and what is the database's or the mapper's to change.

        Those without a value have their column's default: a value, or an expression of SQL until it is stored.
        """
        given = self._settable(values, obj)
        for name, field in self.columns.items():
            if name in given:
                value = given[name]
            elif field.kept or name == self.identifier:
                continue
            else:
                value = self.absent(name)
            if value is not UNSET and value is not NODEFAULT:
                self._set(obj, name, value)
        return obj

    def _set(self, obj: Any, name: str, value: Any) -> None:
        before = obj.__dict__.get(name)
        setattr(obj, name, value)
        if name in self._json and value is not None and before is not None and _differs(before, value):
            flag_modified(obj, name)  # SQLAlchemy would compare as Python does

    def _settable(self, values: Mapping[str, Any], obj: Any) -> dict[str, Any]:
        found = {}
        for name, value in values.items():
            if value is UNSET:
                continue
            if name == self.version and obj is not None:
                if value != getattr(obj, name):
                    raise Stale(f"{name} is {getattr(obj, name)!r} by now, not {value!r}: read it again")
                continue
            if self.columns[name].computed:
                if obj is not None and value == getattr(obj, name, None):
                    continue  # as it was read
                raise Unsettable(name, "is computed and cannot be set")
            found[name] = self.stored(name, value)
        return found

    def stored(self, name: str, value: Any) -> Any:
        """Return a value as its column keeps it: JSON as plain data, and SQLite keeps no zone, so there times are UTC."""
        if name in self._json:
            return _plain(value)
        if self.dialect != "sqlite" or name not in self._zoned:
            return value
        return [_in_utc(one) for one in value] if isinstance(value, list | tuple) else _in_utc(value)

    def values(self, obj: Any) -> dict[str, Any]:
        """Read the fields; those that the database has yet to fill in, or to work out, are left out."""
        state = obj.__dict__
        try:
            found = {name: state[name] for name in self._names}
        except KeyError:
            found = {name: state[name] for name in self._names if name in state}
        for name in self._worked_out:
            if isinstance(found.get(name), ClauseElement):
                del found[name]
        for name in self._zoned:
            value = found.get(name)  # of SQLite, or PostgreSQL's infinity
            if isinstance(value, datetime) and value.tzinfo is None:
                found[name] = value.replace(tzinfo=UTC)
        return found

    def finding(self, names: tuple[str, ...], *, locked: bool) -> Select[Any]:
        """Give the statement that reads the object of these identifiers, which are its parameters."""
        found = self._finding.get((names, locked))
        if found is None:
            alike = [
                getattr(self.cls, name) == bindparam(name, type_=getattr(self.cls, name).type)
                for name in names
            ]
            found = select(self.cls).where(*alike).options(*self.options)
            if self.identifier not in names:
                found = found.limit(2)  # enough to know that it is not the only one
            if locked:
                # as much of a lock as a change needs: rows may still be made that refer to this one
                found = found.with_for_update(key_share=True, of=self.cls)
            self._finding[names, locked] = found
        return found

    def copy(self, obj: Any) -> Any:
        """Copy the columns into an object that no session knows."""
        made = self.mapper.class_manager.new_instance()
        for name, value in obj.__dict__.items():
            if name in self.columns:
                plain = value is None or type(value) in _UNCHANGING
                set_committed_value(made, name, value if plain else copy.deepcopy(value))
        return made

    def check(self, obj: Any) -> Sequence[Fault]:
        """Ask the constraints; what an expression of SQL or the database will fill in has none."""
        values = self.values(obj)
        pending = {name for name, value in values.items() if isinstance(value, ClauseElement)}
        known = {
            name: value
            for name, value in values.items()
            if name not in pending and (value is not None or self.columns[name].default is not UNSET)
        }
        faults = struct_faults(self.struct, known)
        return [*(fault for fault in faults if fault.pointer[1:] not in pending), *self._unfit(known)]

    def _unfit(self, values: Mapping[str, Any]) -> list[Fault]:
        told = {name: unfit(self.columns[name], value, self.dialect) for name, value in values.items()}
        return [Fault(f"/{escape(name)}", text) for name, text in told.items() if text is not None]


_UNCHANGING = frozenset({str, int, float, bool, bytes, Decimal, datetime})
_AS_IN_JSON = frozenset({str, int, float, bool})


def _in_utc(value: Any) -> Any:
    if not isinstance(value, datetime) or value.tzinfo is None or not has_utc(value):
        return value  # the last is refused by check
    return value.astimezone(UTC)


def _plain(value: Any) -> Any:
    """A value as JSON has it: other formats have bytes and times, and a class's hints may name more."""
    if value is None or type(value) in _AS_IN_JSON or isinstance(value, ClauseElement):
        return value
    return msgspec.to_builtins(value, str_keys=True)


def _differs(before: Any, value: Any) -> bool:
    """Whether a value is another one in JSON than what Python holds equal to it: 1 and true, 1 and 1.0."""
    try:
        return msgspec.json.encode(before) != msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError):
        return True
