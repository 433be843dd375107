"""MongoDB is a store of resources."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from tests.conformance.stores.ground import Ground
from tests.conformance.stores.models import AccountDocument, BookDocument
from tests.conformance.stores.suite import StoreSuite
from worker.messaging.identity import new_id as make_id
from worker.messaging.parcel import Parcel
from worker.mongo.connection import Connection, opened_documents
from worker.mongo.store import DocumentStore
from worker.resources.documents import Documents


class TestMongo(StoreSuite):
    @pytest.fixture
    async def connection(self, mongo_url: str) -> AsyncIterator[Connection]:
        async with opened_documents(mongo_url, 10.0) as connection:
            await connection.database.books.create_index("isbn", unique=True)
            yield connection

    @pytest.fixture
    def kept(self) -> list[Parcel]:
        return []

    @pytest.fixture
    def ground(self, connection: Connection, kept: list[Parcel]) -> Ground:
        async def keep(parcels: Sequence[Parcel]) -> None:
            kept.extend(parcels)

        seconds = itertools.count(1_800_000_000)

        def in_order() -> str:
            """An id after the last one: those of one millisecond have no order."""
            return make_id(next(seconds))

        def store(collection: str, version: str | None) -> DocumentStore:
            return DocumentStore(connection, Documents(collection, version), keep, in_order)

        return Ground(
            {"book": store("books", None), "account": store("accounts", "version")},
            {"book": BookDocument, "account": AccountDocument},
        )

    @pytest.fixture
    def new_id(self) -> Callable[[], str]:
        return make_id

    @pytest.fixture
    def id_of(self) -> Callable[[int], str]:
        return str
