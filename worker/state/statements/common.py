"""What the statements of several stores have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sqlalchemy import Column, Table, bindparam, delete, literal_column, tuple_
from sqlalchemy.sql import ClauseElement, ColumnElement, FromClause, Select

Insert: TypeAlias = Callable[[Table], Any]
"""A database's ``insert``, which knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""

Statements: TypeAlias = Mapping[str, ClauseElement | str]
"""By name; text stands for itself and takes its parameters in their order."""

ONE: Any = literal_column("1")
_NOTHING: Any = literal_column("0")


def own(table: FromClause) -> ColumnElement[bool]:
    """Rows of the application whose database it is; the transaction gives its name."""
    return table.c.application == bindparam("application")


def limited(statement: Select[Any], limit: Any) -> Select[Any]:
    """Take the first rows only; without an offset SQLAlchemy would give SQLite one as a parameter."""
    return statement.limit(limit).offset(_NOTHING)


def given(*names: str) -> dict[str, Any]:
    """Columns whose values are parameters of the same names."""
    return {name: bindparam(name) for name in names}


def added(insert: Insert, table: Table, *without: str) -> Any:
    """Insert a row, all of whose columns are parameters, but for some that the database fills."""
    names = [column.name for column in table.columns if column.name not in without]
    return insert(table).values(given(*names)).inline()


def replaced(insert: Insert, table: Table) -> Any:
    """Insert a row, or put all of it in the place of the one with the same key."""
    statement = added(insert, table)
    key = [column.name for column in table.primary_key]
    changes = {
        column.name: statement.excluded[column.name] for column in table.columns if column.name not in key
    }
    return statement.on_conflict_do_update(index_elements=key, set_=changes)


def pruned(chosen: Select[Any], *key: Column[Any]) -> Any:
    """Remove ``portion`` of the application's rows that are chosen by their key."""
    names: Any = key[0] if len(key) == 1 else tuple_(*key)
    part = limited(chosen, bindparam("portion")).subquery().select()
    table: Any = key[0].table
    return delete(table).where(own(table), names.in_(part))
