"""The store of mapped classes: rows in the application's own tables, on the state's database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData, Table, inspect
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapper

from worker.state.sessions.mapped.shape import MappedShape, mapped_shape
from worker.state.sessions.mapped.work import MappedWork

if TYPE_CHECKING:
    from worker.state.database import Database
    from worker.state.sessions.transaction import SessionTransaction

_UNLISTED = {"rowid", "oid", "_rowid_"}
"""Names under which SQLite gives a row's number, though no list of columns has them."""


class MappedStore:
    """Keeps objects of SQLAlchemy's mapped classes; see ``Store``.

    Args:
        database: the state's.
        committed: told after each commit that left messages in the outbox; None where nothing relays here.
    """

    def __init__(self, database: Database, committed: Callable[[], None] | None = None) -> None:
        self._database = database
        self._committed = committed

    def shape(self, cls: type[Any], identifier: str) -> MappedShape:
        """Say how objects of a mapped class become data and back."""
        return mapped_shape(cls, identifier, "sqlite" if self._database.is_sqlite else "postgresql")

    @asynccontextmanager
    async def work(self, *, read_only: bool) -> AsyncIterator[MappedWork]:
        """Begin one request's work; its first statement opens the transaction."""
        work = MappedWork(self._database, self._committed, read_only=read_only)
        try:
            yield work
        finally:
            await work.end()


async def create_tables(transaction: SessionTransaction, classes: Iterable[type[Any]]) -> None:
    """Create the tables that mapped classes and their neighbours need and that are missing; none is altered."""
    found = {id(metadata): metadata for metadata in map(_metadata, classes)}
    for metadata in found.values():
        await transaction.connection.run_sync(metadata.create_all)


def table_names(classes: Iterable[type[Any]]) -> list[str]:
    """Names of the tables of mapped classes."""
    return list({table.key: table for cls in classes for table in _tables(cls)})


async def missing_tables(transaction: SessionTransaction, classes: Iterable[type[Any]]) -> list[str]:
    """Names of the tables of mapped classes that are not there."""

    def look(connection: Connection) -> list[str]:
        """Ask the database."""
        inspector = inspect(connection)
        tables = {table.key: table for cls in classes for table in _tables(cls)}
        return [name for name, table in tables.items() if not inspector.has_table(table.name, table.schema)]

    return await transaction.connection.run_sync(look)


async def missing_columns(transaction: SessionTransaction, classes: Iterable[type[Any]]) -> list[str]:
    """Columns of mapped classes that their tables do not have, each as ``table.column``; a table that is not there lacks none."""

    def look(connection: Connection) -> list[str]:
        """Ask the database."""
        inspector = inspect(connection)
        missing = []
        wanted = {table.key: (table, _columns(cls, table)) for cls in classes for table in _tables(cls)}
        for name, (table, columns) in wanted.items():
            if not inspector.has_table(table.name, table.schema):
                continue
            there = {column["name"].lower() for column in inspector.get_columns(table.name, table.schema)}
            missing += [f"{name}.{column}" for column in columns if column.lower() not in there | _UNLISTED]
        return missing

    return await transaction.connection.run_sync(look)


def is_mapped(cls: type[Any]) -> bool:
    """Whether SQLAlchemy maps a class."""
    return isinstance(inspect(cls, raiseerr=False), Mapper)


def _mapper(cls: type[Any]) -> Mapper[Any]:
    mapper: Mapper[Any] = inspect(cls)
    return mapper


def _tables(cls: type[Any]) -> list[Table]:
    return [table for table in _mapper(cls).tables if isinstance(table, Table)]


def _columns(cls: type[Any], table: Table) -> list[str]:
    """Names of a table's columns that a class maps, without those that every table has."""
    mapped = set(_mapper(cls).columns)
    return [column.name for column in table.columns if column in mapped and not column.system]


def _metadata(cls: type[Any]) -> MetaData:
    return _tables(cls)[0].metadata
