"""Where a resource's objects are kept in the database of documents, as an application says it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Documents:
    """Keeps a resource's objects as documents: ``[documents] url`` says in which database.

    Args:
        collection: name of the collection.
        version: name of a field that counts changes, an ``int``: who changes what another has changed since it was read
            is told so (409). None for none.
    """

    collection: str
    version: str | None = None
