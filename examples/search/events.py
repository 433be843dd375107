"""The domain events: what happened in the catalog. Each is recorded by a handler and leaves with its commit.

There is none for an index that was created or deleted. ``TokenWasAdded``, ``TokenWasDeleted`` and ``TokensWereDeleted`` are
the product's own.
"""

import msgspec

from examples.search.interaction import Interaction
from worker import App

part = App("search")
"""The events' part of the application; ``app.py`` includes it."""


@part.event(key="index")
class IndexWasConfigured(msgspec.Struct, frozen=True):
    """An index was configured anew; ``config`` is its configuration as JSON."""

    app: str
    index: str
    config: str


@part.event(key="index")
class IndexWasReset(msgspec.Struct, frozen=True):
    """All items of an index were removed."""

    app: str
    index: str


@part.event(key="index", aliases=["ItemsWereIndexed"])
class ItemsWereAdded(msgspec.Struct, frozen=True):
    """Items were added or replaced; each is named by id and type, ``moby-dick~book``."""

    app: str
    index: str
    nb_items: int
    item_uuid: list[str]


@part.event(key="index")
class ItemsWereUpdated(msgspec.Struct, frozen=True):
    """Items were changed: those that ``filters`` means, by ``changes``; both as JSON, as they came."""

    app: str
    index: str
    filters: str
    changes: str


@part.event(key="index")
class ItemsWereDeleted(msgspec.Struct, frozen=True):
    """Items were deleted."""

    app: str
    index: str
    nb_items: int
    item_uuid: list[str]


@part.event
class InteractionWasAdded(msgspec.Struct, frozen=True):
    """A user did something with an item."""

    app: str
    interaction: Interaction


@part.event
class QueryWasMade(msgspec.Struct, frozen=True):
    """A search was made; ``index`` is as it was asked for, ``time_cost`` in milliseconds."""

    app: str
    index: str
    q: str
    q_empty: bool
    q_length: int
    size: int
    item_uuid: list[str]
    result_length: int
    user: str | None
    query_serialized: str
    time_cost: float
