"""The transaction of a session, for statements of the stores that are committed with what a handler writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from worker.state.statement import Dialect, Sql
from worker.state.transaction import Row, Transaction


class SessionTransaction(Transaction):
    """Takes the statements' text past SQLAlchemy's own language to the driver."""

    def __init__(self, connection: AsyncConnection, application: str) -> None:
        self.connection = connection
        self.application = application
        self.dialect: Dialect = "sqlite" if connection.dialect.name == "sqlite" else "postgresql"

    def _bound(self, sql: Sql, values: Mapping[str, Any]) -> tuple[Any, ...]:
        return sql.listed(values) if self.dialect == "sqlite" else sql.bound(values)

    async def _fetch(self, text: str, values: tuple[Any, ...]) -> Sequence[Row]:
        return (await self.connection.exec_driver_sql(text, values)).mappings().all()

    async def _execute(self, text: str, values: tuple[Any, ...]) -> int:
        # counts of an insert are dropped on some drivers unless asked for
        counted = {"preserve_rowcount": True}
        return int((await self.connection.exec_driver_sql(text, values, execution_options=counted)).rowcount)

    async def _execute_many(self, text: str, rows: Sequence[tuple[Any, ...]]) -> None:
        await self.connection.exec_driver_sql(text, list(rows))
