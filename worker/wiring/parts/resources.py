"""The resources part: what an application exposes over HTTP, each with its store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from worker.errors import ConfigurationError
from worker.messaging.parcel import Parcel
from worker.resources.declared import DeclaredResource
from worker.resources.documents import Documents
from worker.resources.resolving import resolved
from worker.resources.resource import Resource
from worker.resources.stores import Store
from worker.wiring.parts.needs import Needs
from worker.wiring.parts.process import Process
from worker.wiring.parts.sending import Sending
from worker.wiring.parts.state import State
from worker.wiring.tables import ResourceTables

if TYPE_CHECKING:
    from worker.mongo.connection import Connection


class Resources(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """An application's resources.

    Attributes:
        all: in order of declaration.
        tables: of those that are mapped classes.
    """

    all: tuple[Resource, ...]
    tables: ResourceTables


@asynccontextmanager
async def opened_resources(
    process: Process, state: State, documents: Connection | None, sending: Sending, needs: Needs
) -> AsyncIterator[Resources]:
    """Give each resource its store, and see to the tables of mapped classes.

    Raises:
        ConfigurationError: what is declared does not fit what is stored, with every fault; or tables are missing that
            are not created, or columns.
        DatabaseUnavailable: the database does not answer.
    """
    declared = process.registry.entries_of(DeclaredResource)
    stores = _Stores(state, sending, documents)
    found = resolved(declared, stores.of)
    wanted = process.settings.resources.create_tables
    tables = ResourceTables(
        state.database,
        tuple(one.cls for one in found if stores.is_mapped(one)),
        made=state.database.is_sqlite if wanted is None else wanted,
    )
    if needs.tables != "ignore":
        await tables.prepare(creates=needs.creates)
    yield Resources(all=found, tables=tables)


class _Stores:
    """Finds the store of a resource."""

    def __init__(self, state: State, sending: Sending, documents: Connection | None) -> None:
        self._state = state
        self._sending = sending
        self._documents = documents

    def of(self, declared: DeclaredResource) -> Store | None:
        """Return it; None where nothing keeps the resource's objects.

        Raises:
            ConfigurationError: there can be none.
        """
        store = declared.store
        if store is None:
            return self._mapped if declared.shapeless else None
        if isinstance(store, Documents):
            return self._of_documents(store)
        if not callable(getattr(store, "work", None)) or not callable(getattr(store, "shape", None)):
            raise ConfigurationError(f"store={store!r}, expected Documents(...), or a store of your own")
        found: Store = store
        return found

    def _of_documents(self, documents: Documents) -> Store:
        if self._documents is None:
            raise ConfigurationError(
                f'store={documents!r}: documents.url is not set; expected documents.url = "mongodb://host/name"'
            )
        from worker.mongo.store import DocumentStore

        return DocumentStore(self._documents, documents, self._leave)

    async def _leave(self, parcels: Sequence[Parcel]) -> None:
        """Keep messages of a request that changes documents, for the brokers."""
        await self._sending.outbox.leave(parcels)
        self._sending.relay.notify()

    def is_mapped(self, resource: Resource) -> bool:
        """Whether a resource's objects are rows of the application's own tables."""
        return "_mapped" in self.__dict__ and resource.store is self._mapped

    @cached_property
    def _mapped(self) -> Store:
        from worker.state.sessions.mapped.store import MappedStore  # loads SQLAlchemy

        return MappedStore(self._state.database, self._sending.relay.notify)
