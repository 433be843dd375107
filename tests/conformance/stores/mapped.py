"""The ground on the state's database, of either kind."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.conformance.stores.ground import Ground
from tests.conformance.stores.models import Account, Book
from worker.state.database import Database
from worker.state.sessions.mapped.store import MappedStore
from worker.state.statement import Statement


class OnDatabase:
    """Its module says the ``database_url``."""

    @pytest.fixture
    async def database(self, database_url: str, tmp_path: Path) -> AsyncIterator[Database]:
        database = Database(database_url, base=tmp_path, application="shop")
        await database.connect(10.0)
        await database.tables.create([Book, Account])
        async with database.begin_write() as transaction:
            for table in ("books", "accounts"):
                await transaction.run(Statement(f"DELETE FROM {table}"))
        yield database
        await database.close()

    @pytest.fixture
    def ground(self, database: Database) -> Ground:
        store = MappedStore(database)
        return Ground({"book": store, "account": store}, {"book": Book, "account": Account})

    @pytest.fixture
    def new_id(self) -> Callable[[], int]:
        numbers = itertools.count(1_000)
        return lambda: next(numbers)

    @pytest.fixture
    def id_of(self) -> Callable[[int], int]:
        return lambda number: number
