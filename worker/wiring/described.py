"""Resources as their documentation needs them: with the shapes that their stores give, and no store."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, NoReturn

from worker.messaging.declaration import Registry
from worker.messaging.identity import new_id
from worker.resources.declared import DeclaredResource
from worker.resources.documents import Documents
from worker.resources.resolving import resolved
from worker.resources.resource import Resource
from worker.resources.shape import Shape
from worker.resources.stores import Store, StoreWork
from worker.settings import Settings
from worker.wiring.forms import dialect_of


def described_resources(registry: Registry, settings: Settings) -> tuple[Resource, ...]:
    """Resolve an application's resources without connecting to anything.

    Raises:
        ConfigurationError: what is declared does not fit; with every fault.
    """

    def store_of(declared: DeclaredResource) -> Store | None:
        if declared.store is None:
            return _Shown(None, settings) if declared.shapeless else None
        if isinstance(declared.store, Documents):
            return _Shown(declared.store, settings)
        given: Store = declared.store
        return given

    return resolved(registry.entries_of(DeclaredResource), store_of)


class _Shown:
    """Stands for a store that is only looked at."""

    def __init__(self, documents: Documents | None, settings: Settings) -> None:
        self._documents = documents
        self._settings = settings

    def shape(self, cls: type[Any], identifier: str) -> Shape:
        """Say how objects of a class become data and back, as its store does."""
        if self._documents is not None:
            from worker.mongo.shape import document_shape

            return document_shape(cls, identifier, self._documents.version, new_id)
        from worker.state.sessions.mapped.shape import mapped_shape  # loads SQLAlchemy

        return mapped_shape(cls, identifier, dialect_of(self._settings))

    def work(self, *, read_only: bool) -> AbstractAsyncContextManager[StoreWork]:
        """There is none."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise RuntimeError("nothing is stored where a resource is only described")
