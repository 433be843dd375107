"""The queries: what may be asked about the catalog, and the answers. They only read."""

from typing import Annotated

import msgspec
from msgspec import Meta

from examples.search import activity
from examples.search.activity import Activity
from examples.search.errors import IndexNotFound
from examples.search.fields import IndexName
from examples.search.item import Item
from examples.search.storage import Catalog
from worker import App, Context

part = App("search")
"""The queries' part of the application; ``app.py`` includes it."""


@part.query(errors={IndexNotFound: 404})
class SearchItems(msgspec.Struct, frozen=True):
    """Find items by the words of title, author and subjects; without words, all of them by title."""

    index: IndexName
    q: Annotated[
        str, Meta(max_length=200, description="Words to find; the last may be the start of one.")
    ] = ""
    limit: Annotated[int, Meta(ge=1, le=100)] = 10


class Found(msgspec.Struct, frozen=True):
    """How many items match, and the best of them."""

    total: int
    items: list[Item]


@part.query(errors={IndexNotFound: 404})
class IndexStats(msgspec.Struct, frozen=True):
    """Ask how large an index is and what happened to it."""

    index: IndexName


class Stats(msgspec.Struct, frozen=True):
    """Size of an index, and what the subscribers have counted so far, by name of event."""

    index: str
    created_at: str
    items: int
    activity: dict[str, Activity]


@part.handler
async def search_items(query: SearchItems, context: Context) -> Found:
    """Answer a search.

    Raises:
        IndexNotFound: there is no such index.
    """
    catalog = Catalog(context.session)
    if not await catalog.has_index(query.index):
        raise IndexNotFound(query.index)
    total, items = await catalog.search(query.index, query.q, query.limit)
    return Found(total, items)


@part.handler
async def index_stats(query: IndexStats, context: Context) -> Stats:
    """Answer with counts.

    Raises:
        IndexNotFound: there is no such index.
    """
    catalog = Catalog(context.session)
    created_at = await catalog.created_at(query.index)
    if created_at is None:
        raise IndexNotFound(query.index)
    return Stats(
        index=query.index,
        created_at=created_at,
        items=await catalog.count(query.index),
        activity=await activity.of_index(context.session, query.index),
    )
