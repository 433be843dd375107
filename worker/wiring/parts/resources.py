"""The resources part: what an application exposes over HTTP, each with its store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from worker.errors import ConfigurationError
from worker.resources.declared import DeclaredResource
from worker.resources.documents import Documents
from worker.resources.resolving import resolved
from worker.resources.resource import Resource
from worker.resources.stores import Store
from worker.wiring.parts.process import Process


class Resources(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """An application's resources, in order of declaration."""

    all: tuple[Resource, ...]


@asynccontextmanager
async def opened_resources(process: Process) -> AsyncIterator[Resources]:
    """Give each resource its store.

    Raises:
        ConfigurationError: what is declared does not fit what is stored; with every fault.
    """
    yield Resources(all=resolved(process.registry.entries_of(DeclaredResource), _store_of))


def _store_of(declared: DeclaredResource) -> Store | None:
    store = declared.store
    if store is None and not declared.shapeless:
        return None
    if isinstance(store, Documents):
        raise ConfigurationError("store=Documents(...): no database of documents is connected")
    if store is None:
        raise ConfigurationError("its class is mapped, and no database is connected")
    if not callable(getattr(store, "work", None)) or not callable(getattr(store, "shape", None)):
        raise ConfigurationError(f"store={store!r}, expected Documents(...), or a store of your own")
    found: Store = store
    return found
