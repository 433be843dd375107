"""The domain events: what happened in the catalog. Each is recorded by a handler and leaves with its commit."""

import msgspec

from worker import App

part = App("search")
"""The events' part of the application; ``app.py`` includes it."""


@part.event(key="index")
class IndexCreated(msgspec.Struct, frozen=True):
    """An index was created, by ``CreateIndex`` or by the first items for it."""

    index: str


@part.event(key="index")
class ItemsIndexed(msgspec.Struct, frozen=True):
    """Items were added or replaced."""

    index: str
    ids: list[str]


@part.event(key="index")
class ItemUpdated(msgspec.Struct, frozen=True):
    """Fields of an item were set anew."""

    index: str
    id: str
    fields: list[str]


@part.event(key="index")
class ItemDeleted(msgspec.Struct, frozen=True):
    """An item was deleted."""

    index: str
    id: str


@part.event(key="index")
class IndexDeleted(msgspec.Struct, frozen=True):
    """An index was deleted, with as many items as it still had."""

    index: str
    items: int
