"""The store of mapped classes: rows in the application's own tables, on the state's database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from worker.state.sessions.mapped.shape import MappedShape, mapped_shape
from worker.state.sessions.mapped.work import MappedWork

if TYPE_CHECKING:
    from worker.state.database import Database


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
