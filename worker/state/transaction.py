"""A transaction of the state: executes fixed statements, whichever driver or session is below."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from worker.state.statement import Dialect, Sql, Statement

Row: TypeAlias = Any
"""The driver's own row: values by name and by place, and with ``**`` as keywords."""


class Transaction(ABC):
    """An open transaction. The one who began it ends it.

    Statements given as plain text have no parameters and read the same on both databases. A list among the values
    is one parameter, and ``application`` is there by itself. Errors are the driver's; the one who began
    the transaction tells outages among them.

    Attributes:
        dialect: which SQL it speaks.
        application: whose rows it sees and writes.
    """

    dialect: Dialect
    application: str

    async def rows(self, statement: Statement | str, **values: Any) -> Sequence[Row]:
        """Return what a statement gives."""
        sql = self._sql(statement)
        values["application"] = self.application
        return await self._fetch(sql.text, self._bound(sql, values))

    async def first(self, statement: Statement | str, **values: Any) -> Row | None:
        """Return the first row that a statement gives, None when it gives none."""
        found = await self.rows(statement, **values)
        return found[0] if found else None

    async def value(self, statement: Statement | str, **values: Any) -> Any:
        """Return the first value of the only row."""
        return (await self.rows(statement, **values))[0][0]

    async def run(self, statement: Statement | str, **values: Any) -> int:
        """Execute a statement and say how many rows it changed."""
        sql = self._sql(statement)
        values["application"] = self.application
        return await self._execute(sql.text, self._bound(sql, values))

    async def run_each(self, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute a statement once for each set of values."""
        if rows:
            sql = self._sql(statement)
            own = {"application": self.application}
            await self._execute_many(sql.text, [self._bound(sql, own | dict(row)) for row in rows])

    async def run_tuples(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> None:
        """Execute a statement once for each tuple of values, which are in the order of its names."""
        await self._execute_many(self._sql(statement).text, rows)

    def _sql(self, statement: Statement | str) -> Sql:
        if isinstance(statement, str):
            return Sql(statement)
        return statement.sqlite if self.dialect == "sqlite" else statement.postgresql

    def _bound(self, sql: Sql, values: Mapping[str, Any]) -> tuple[Any, ...]:
        return sql.bound(values)

    @abstractmethod
    async def _fetch(self, text: str, values: tuple[Any, ...]) -> Sequence[Row]: ...

    @abstractmethod
    async def _execute(self, text: str, values: tuple[Any, ...]) -> int: ...

    @abstractmethod
    async def _execute_many(self, text: str, rows: Sequence[tuple[Any, ...]]) -> None: ...
