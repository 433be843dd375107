"""The tables of an application's mapped classes: looked at, and made where they are missing; none is altered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData, Table, inspect
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapper

if TYPE_CHECKING:
    from worker.state.database import Database
    from worker.state.sessions.transaction import SessionTransaction

_UNLISTED = {"rowid", "oid", "_rowid_"}
"""Names under which SQLite gives a row's number, though no list of columns has them."""


class MappedTables:
    """Tables on the state's database. Every method raises DatabaseUnavailable when it does not answer.

    Args:
        database: the state's.
        begin: begins a transaction of SQLAlchemy's there.
        patience: seconds that a change of tables may take.
    """

    def __init__(
        self,
        database: Database,
        begin: Callable[[], AbstractAsyncContextManager[SessionTransaction]],
        patience: float,
    ) -> None:
        self._database = database
        self._begin = begin
        self._patience = patience

    async def create(self, classes: Sequence[type[Any]]) -> None:
        """Create those that mapped classes and their neighbours need and that are missing; safe in several processes at once."""
        found = {id(metadata): metadata for metadata in map(_metadata, classes)}
        async with self._database.bounded(self._patience), self._begin() as transaction:
            await self._database.take_turn(transaction, "tables")
            for metadata in found.values():
                await transaction.connection.run_sync(metadata.create_all)

    async def missing(self, classes: Sequence[type[Any]]) -> list[str]:
        """Names of those of mapped classes that are not there."""
        tables = {table.key: table for cls in classes for table in _tables(cls)}
        if not self._database.there:
            return list(tables)

        def look(connection: Connection) -> list[str]:
            """Ask the database."""
            there = inspect(connection).has_table
            return [name for name, table in tables.items() if not there(table.name, table.schema)]

        return await self._look(look)

    async def missing_columns(self, classes: Sequence[type[Any]]) -> list[str]:
        """Columns of mapped classes that their tables do not have, as ``table.column``; a missing table lacks none."""
        wanted = {table.key: (table, _columns(cls, table)) for cls in classes for table in _tables(cls)}

        def look(connection: Connection) -> list[str]:
            """Ask the database."""
            inspector = inspect(connection)
            missing = []
            for name, (table, columns) in wanted.items():
                if not inspector.has_table(table.name, table.schema):
                    continue
                there = {column["name"].lower() for column in inspector.get_columns(table.name, table.schema)}
                missing += [
                    f"{name}.{column}" for column in columns if column.lower() not in there | _UNLISTED
                ]
            return missing

        return await self._look(look)

    async def _look(self, look: Callable[[Connection], list[str]]) -> list[str]:
        async with self._database.bounded(), self._begin() as transaction:
            return await transaction.connection.run_sync(look)


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
