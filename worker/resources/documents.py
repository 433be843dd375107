"""Where a resource's objects are kept in the database of documents, as an application says it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Documents:
    """Keeps a resource's objects as documents: ``[documents] url`` says in which database.

    Args:
        collection: its name there.
    """

    collection: str
