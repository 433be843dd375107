"""The resources part: what an application exposes over HTTP, each with its store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property

import msgspec

from worker.errors import ConfigurationError
from worker.resources.declared import DeclaredResource
from worker.resources.documents import Documents
from worker.resources.resolving import resolved
from worker.resources.resource import Resource
from worker.resources.stores import Store
from worker.wiring.parts.needs import Needs
from worker.wiring.parts.process import Process
from worker.wiring.parts.sending import Sending
from worker.wiring.parts.state import State


class Resources(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """An application's resources, in order of declaration."""

    all: tuple[Resource, ...]


@asynccontextmanager
async def opened_resources(
    process: Process, state: State, sending: Sending, needs: Needs
) -> AsyncIterator[Resources]:
    """Give each resource its store, and see to the tables of mapped classes where they are on SQLite.

    Raises:
        ConfigurationError: what is declared does not fit what is stored; with every fault.
        DatabaseUnavailable: the database does not answer.
    """
    stores = _Stores(state, sending)
    found = resolved(process.registry.entries_of(DeclaredResource), stores.of)
    mapped = [one.cls for one in found if stores.is_mapped(one)]
    if mapped and needs.creates and state.database.is_sqlite:
        await state.database.create_tables(mapped)
    yield Resources(all=found)


class _Stores:
    """Finds the store of a resource."""

    def __init__(self, state: State, sending: Sending) -> None:
        self._state = state
        self._sending = sending

    def of(self, declared: DeclaredResource) -> Store | None:
        """Return it; None where nothing keeps the resource's objects.

        Raises:
            ConfigurationError: there can be none.
        """
        store = declared.store
        if store is None:
            return self._mapped if declared.shapeless else None
        if isinstance(store, Documents):
            raise ConfigurationError("store=Documents(...): no database of documents is connected")
        if not callable(getattr(store, "work", None)) or not callable(getattr(store, "shape", None)):
            raise ConfigurationError(f"store={store!r}, expected Documents(...), or a store of your own")
        found: Store = store
        return found

    def is_mapped(self, resource: Resource) -> bool:
        """Whether a resource's objects are rows of the application's own tables."""
        return "_mapped" in self.__dict__ and resource.store is self._mapped

    @cached_property
    def _mapped(self) -> Store:
        from worker.state.sessions.mapped.store import MappedStore  # loads SQLAlchemy

        return MappedStore(self._state.database, self._sending.relay.notify)
