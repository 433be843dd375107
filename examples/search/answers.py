"""What answers the queries."""

import re
import time

import msgspec

from examples.search import activity
from examples.search.events import QueryWasMade
from examples.search.queries import CheckIndex, GetIndices, Index, Query, Result
from examples.search.storage import Catalog
from worker import App, Context

part = App("search")
"""The answers' part of the application; ``app.py`` includes it."""

_PARAMETER = re.compile(r"\{\{(\w+)\}\}")


@part.handler
async def query(query: Query, context: Context) -> Result:
    """Answer a search, and say that it was made.

    Raises:
        IndexNotFound: one of the indexes is not there.
    """
    started = time.perf_counter()
    catalog = Catalog(context.session, query.app)
    q = _PARAMETER.sub(lambda found: query.parameters.get(found[1], ""), query.q)
    indexes = await catalog.named(query.index)
    total, items = await catalog.search(indexes, q, query.size, query.page, query.published)
    context.record(
        QueryWasMade(
            app=query.app,
            index=query.index,
            q=q,
            q_empty=not q.strip(),
            q_length=len(q),
            size=query.size,
            item_uuid=[item.uuid for item in items],
            result_length=len(items),
            user=query.user,
            query_serialized=msgspec.json.encode(query).decode(),
            time_cost=round((time.perf_counter() - started) * 1000, 3),
        )
    )
    return Result(total, items)


@part.handler
async def check_index(query: CheckIndex, context: Context) -> bool:
    """Tell whether the index is there."""
    return await Catalog(context.session, query.app).has_index(query.index)


@part.handler
async def get_indices(query: GetIndices, context: Context) -> list[Index]:
    """Give the indexes of an app, by name."""
    catalog = Catalog(context.session, query.app)
    counted = await activity.of_app(context.session, query.app)
    return [
        Index(
            app=query.app,
            index=stored.name,
            created_at=stored.created_at,
            items=await catalog.count(stored.name),
            configuration=stored.configuration,
            activity=counted.get(stored.name, {}),
        )
        for stored in await catalog.indexes()
    ]
