"""A column as a field: what it takes, and what it holds by default."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import UNSET
from sqlalchemy import Column, literal_column
from sqlalchemy.orm import Mapper
from sqlalchemy.sql import ColumnElement

from worker.state.sessions.mapped.annotations import annotation_of, digits_of
from worker.state.statement import Dialect


class ColumnField(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """One attribute of a mapped class.

    Attributes:
        name: of the attribute.
        column: what is behind it.
        annotation: what it takes.
        default: of the Struct: a plain value, ``UNSET`` where only the database or a function knows it, or
            ``msgspec.NODEFAULT`` where it has to be given.
        kept: whether a replaced object keeps its value: it is the database's or the mapper's to change.
        computed: whether it may not be set.
        digits: before the point, of a decimal; None for no limit.
        zoned: whether its times have a zone.
    """

    name: str
    column: Column[Any]
    annotation: Any
    default: Any
    kept: bool = False
    computed: bool = False
    digits: int | None = None
    zoned: bool = False

    @property
    def is_worked_out(self) -> bool:
        """Whether what a replaced object holds may be an expression of SQL until it is stored."""
        return self.default is UNSET and not self.kept

    def absent(self) -> Any:
        """What a replaced object holds where the new state says nothing: a value, or an expression of SQL."""
        if self.default is not UNSET:
            return self.default
        default: Any = self.column.default
        if default is not None and default.is_callable:
            return _called(default.arg)
        if default is not None and default.is_clause_element:
            return default.arg
        server: Any = self.column.server_default
        arg = getattr(server, "arg", None)
        if isinstance(arg, str):
            return literal_column("'{}'".format(arg.replace("'", "''")))
        return UNSET if arg is None else arg


def _called(function: Callable[[Any], Any]) -> Any:
    """Ask a default's function; one that looks at the statement has no answer outside of it."""
    try:
        return function(None)
    except (AttributeError, TypeError):
        return UNSET


def column_fields(cls: type[Any], mapper: Mapper[Any], dialect: Dialect) -> list[ColumnField]:
    """Make the fields of a class: its columns, without private ones.

    Raises:
        TypeError: a column's values cannot be said; names it.
    """
    return [
        _field(cls, mapper, prop.key, prop.columns[0], dialect)
        for prop in mapper.column_attrs
        if isinstance(prop.columns[0], Column) and not prop.key.startswith("_")
    ]


def _field(
    cls: type[Any], mapper: Mapper[Any], key: str, column: Column[Any], dialect: Dialect
) -> ColumnField:
    annotation = annotation_of(cls, key, column, dialect)
    custom = msgspec.inspect.type_info(annotation)
    for kind in getattr(custom, "types", (custom,)):
        if isinstance(kind, msgspec.inspect.CustomType):
            raise TypeError(
                f"{key}: a {kind.cls.__name__} cannot be read from JSON; declare the resource of a Struct with a processor"
            )
    generated = _is_generated(mapper, column)
    computed = column.computed is not None or column is mapper.polymorphic_on or _always(column)
    changing = (
        column is mapper.version_id_col or column.onupdate is not None or column.server_onupdate is not None
    )
    kept = generated or computed or changing
    if computed:
        annotation = Annotated[annotation, msgspec.Meta(extra_json_schema={"readOnly": True})]
    return ColumnField(
        name=key,
        column=column,
        annotation=annotation,
        default=UNSET if kept else _default(column),
        kept=kept,
        computed=computed,
        digits=digits_of(column),
        zoned=bool(getattr(column.type, "timezone", False)),
    )


def _is_generated(mapper: Mapper[Any], column: Column[Any]) -> bool:
    """Whether the database makes a key that was not given."""
    return column.primary_key and (
        column is column.table.autoincrement_column
        or column.identity is not None
        or column.server_default is not None
        or column.default is not None
    )


def _always(column: Column[Any]) -> bool:
    return column.identity is not None and bool(column.identity.always)


def _default(column: Column[Any]) -> Any:
    default: Any = column.default
    if default is not None:
        return default.arg if default.is_scalar and _is_plain(default.arg) else UNSET
    if column.server_default is not None:
        return UNSET
    return None if column.nullable else msgspec.NODEFAULT


def _is_plain(value: Any) -> bool:
    """Whether a Struct takes it as a default: what can be changed would be shared."""
    return value.__hash__ is not None and not isinstance(value, ColumnElement)


def init_parameters(cls: type[Any]) -> set[str] | None:
    """Names that a class's ``__init__`` takes; None where it takes any.

    Raises:
        TypeError: it wants what cannot be named.
    """
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return None
    return {one.name for one in parameters if one.kind not in {one.VAR_POSITIONAL, one.POSITIONAL_ONLY}}
