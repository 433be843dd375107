"""The store of documents: one collection of MongoDB for each resource."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from worker.mongo.connection import Connection
from worker.mongo.shape import DocumentShape, document_shape
from worker.mongo.work import DocumentWork, Keep
from worker.resources.documents import Documents
from worker.resources.repeating import object_id


class DocumentStore:
    """Keeps objects of resources as documents; see ``Store``.

    Args:
        connection: to the database.
        documents: where in it.
        keep: keeps messages for the brokers, in the state.
        new_id: makes identifiers that were not given: UUIDv7, the same ones in each repeat of a request with an idempotency key.
    """

    def __init__(
        self, connection: Connection, documents: Documents, keep: Keep, new_id: Callable[[], str] = object_id
    ) -> None:
        self._connection = connection
        self._documents = documents
        self._keep = keep
        self._new_id = new_id

    def shape(self, cls: type[Any], identifier: str) -> DocumentShape:
        """Say how objects of a class become documents and back."""
        return document_shape(cls, identifier, self._documents.version, self._new_id)

    @asynccontextmanager
    async def work(self, *, read_only: bool) -> AsyncIterator[DocumentWork]:
        """Begin one request's work."""
        connection = self._connection
        collection = connection.database[self._documents.collection]
        yield DocumentWork(collection, connection.shown, connection.seconds, self._keep)
