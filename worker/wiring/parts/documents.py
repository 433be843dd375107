"""The documents part: the connection to MongoDB, where a resource is kept there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from worker.resources.declared import DeclaredResource
from worker.resources.documents import Documents
from worker.wiring.parts.needs import Needs
from worker.wiring.parts.process import Process

if TYPE_CHECKING:
    from worker.mongo.connection import Connection


@asynccontextmanager
async def opened_documents(process: Process, needs: Needs) -> AsyncIterator[Connection | None]:
    """Connect to it; None where no resource is kept there, or where the settings do not say where it is.

    Raises:
        ConfigurationError: the address cannot be read, or the client is not installed.
        DatabaseUnavailable: it does not answer, and has to.
    """
    url = process.settings.documents.url
    declared = process.registry.entries_of(DeclaredResource)
    if url is None or not any(isinstance(one.store, Documents) for one in declared):
        yield None
        return
    from worker.mongo.connection import opened_documents as connected  # an optional client

    patience = process.settings.worker.connect_timeout
    async with connected(url, patience, asked=needs.tables != "ignore") as connection:
        yield connection
