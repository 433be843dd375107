"""What a database refuses, as the error that its caller is told: 409 where something is taken or in use, 422 where a value does not fit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Table, exc
from sqlalchemy.orm.exc import FlushError, StaleDataError

from worker.errors import DatabaseUnavailable, Fault, Guarded, InvalidMessage, Stale, Taken
from worker.messaging.faults import escape
from worker.state.outage import state_of

if TYPE_CHECKING:
    from worker.resources.resource import Resource
    from worker.state.sessions.mapped.shape import MappedShape

_UNIQUE, _FOREIGN, _NULL, _CHECK, _EXCLUDED = "23505", "23503", "23502", "23514", "23P01"
_DATA = ("22", "54")
"""PostgreSQL's classes of values that do not fit: out of range, no valid text, too long for a column or an index."""
_SQLITE = (
    ("UNIQUE constraint failed", _UNIQUE),
    ("PRIMARY KEY must be unique", _UNIQUE),
    ("FOREIGN KEY constraint failed", _FOREIGN),
    ("NOT NULL constraint failed", _NULL),
    ("CHECK constraint failed", _CHECK),
    ("datatype mismatch", _DATA[0]),
)
_KEY = re.compile(r"\((.+?)\)=\(")


def refusal(error: Exception, resource: Resource, shape: MappedShape, *, removing: bool) -> Exception:
    """Say what an error of a flush means; give any other back as it is.

    Args:
        error: as it was raised.
        resource: whose object it was.
        shape: of that object.
        removing: whether it was to be removed.
    """
    if isinstance(error, DatabaseUnavailable | Guarded):
        return error
    if isinstance(error, StaleDataError):
        return Stale(f"{resource.name}: changed or removed since it was read; read it again")
    if isinstance(error, FlushError):
        return Taken(f"{resource.name}: its {resource.identifier} is taken", resource.identifier)
    cause = error.orig if isinstance(error, exc.StatementError) else error
    # the driver's or the mapper's, before anything was sent
    if isinstance(cause, OverflowError | UnicodeError):
        return InvalidMessage(
            resource.name, [Fault("", "a value is out of the range of what the database holds")]
        )
    if not isinstance(error, exc.DBAPIError):
        return _unsendable(error, resource)
    told = _told(error)
    code = _code(error, told)
    named = _named(error, told, shape)
    if code in {_UNIQUE, _EXCLUDED}:
        return _taken(resource, named)
    if code == _FOREIGN:
        return _linked(resource, named, removing=removing)
    if code == _NULL and removing:  # the mapper has taken the object out of those that refer to it
        return _linked(resource, named, removing=True)
    if code == _NULL:
        return InvalidMessage(resource.name, _faults(named, "is missing"))
    if code == _CHECK:
        return InvalidMessage(
            resource.name, [Fault("", f"refused by a rule of the database: {_rule(error, told)}")]
        )
    if code.startswith(_DATA):
        return InvalidMessage(resource.name, _faults(named, f"the database does not take it: {_first(told)}"))
    return error


def unreadable(error: Exception, resource: Resource) -> Exception:
    """Say what an error of a statement that reads means, where a value of the query is at fault; give any other back."""
    if not isinstance(error, exc.DBAPIError):
        return _unsendable(error, resource)
    told = _told(error)
    if _code(error, told).startswith(_DATA):
        return InvalidMessage(resource.name, [Fault("", f"the database does not take it: {_first(told)}")])
    return error


def _unsendable(error: Exception, resource: Resource) -> Exception:
    """What a column's type refuses of a value before anything is sent."""
    refused = error.orig if isinstance(error, exc.StatementError) else None
    if isinstance(refused, ValueError | OverflowError | LookupError):
        return InvalidMessage(resource.name, [Fault("", f"the database does not take it: {_first(refused)}")])
    return error


def _taken(resource: Resource, named: Sequence[str]) -> Taken:
    field = next((name for name in named if name != resource.identifier), None)
    if resource.identifier in named and len(named) == 1:
        field = resource.identifier
    shown = " and ".join(named)
    return Taken(f"{resource.name}: {shown or 'a value that is unique'} is taken", field)


def _linked(resource: Resource, named: Sequence[str], *, removing: bool) -> Exception:
    if removing:
        return Guarded(f"{resource.name}: other objects refer to it; remove or change them first")
    return InvalidMessage(resource.name, _faults(named, "refers to what is not there"))


def _faults(named: Sequence[str], text: str) -> list[Fault]:
    return [Fault(f"/{escape(name)}", text) for name in named] or [Fault("", text)]


def _told(error: exc.DBAPIError) -> Any:
    """The driver's own error, which knows more than SQLAlchemy's."""
    found: Any = error.orig
    while found is not None and not hasattr(found, "sqlstate") and found.__cause__ is not None:
        found = found.__cause__
    cause = getattr(found, "__cause__", None)
    return cause if hasattr(cause, "constraint_name") else found


def _code(error: exc.DBAPIError, told: Any) -> str:
    state = state_of(error.orig) if error.orig is not None else None
    if state is not None:
        return state
    if type(told).__name__ == "DataError" or type(error.orig).__name__ == "DataError":
        return _DATA[0]  # of PostgreSQL's driver, before anything was sent
    text = str(error.orig)
    return next((code for words, code in _SQLITE if text.startswith(words)), "")


def _named(error: exc.DBAPIError, told: Any, shape: MappedShape) -> list[str]:
    """Names of the fields that an error is about."""
    by_column: dict[Column[Any], str] = {field.column: name for name, field in shape.columns.items()}
    tables = {table.name: table for table in shape.mapper.tables if isinstance(table, Table)}
    table = tables.get(getattr(told, "table_name", None) or "", shape.mapper.local_table)
    column = getattr(told, "column_name", None)
    if column:
        return _fields(by_column, table, [column])
    constraint = getattr(told, "constraint_name", None)
    if constraint:
        found = _columns(table, constraint)
        detail = _KEY.search(getattr(told, "detail", None) or "")
        if not found and detail:
            found = re.findall(r"\w+", detail[1])
        return _fields(by_column, table, found)
    text = str(error.orig).partition("constraint failed: ")[2]
    named = re.findall(r"^index '(.+)'", text)
    if named:
        return _fields(by_column, table, _columns(table, named[0]))
    pairs = [part.strip().rpartition(".") for part in text.split(",")]
    return [
        name for home, _, column in pairs for name in _fields(by_column, tables.get(home, table), [column])
    ]


def _columns(table: Any, constraint: str) -> list[str]:
    """Columns of a constraint or an index of this name."""
    for one in [*table.constraints, *table.indexes]:
        if one.name == constraint:
            return [column.name for column in one.columns]
    if constraint == f"{table.name}_pkey":
        return [column.name for column in table.primary_key]
    return []


def _fields(by_column: dict[Column[Any], str], table: Any, columns: Iterable[str]) -> list[str]:
    found = [by_column.get(table.columns[column]) for column in columns if column in table.columns]
    return [name for name in dict.fromkeys(found) if name is not None]


def _rule(error: exc.DBAPIError, told: Any) -> str:
    return str(getattr(told, "constraint_name", None) or str(error.orig).partition(": ")[2] or "CHECK")


def _first(told: Any) -> str:
    return (str(told).splitlines() or [""])[0]
