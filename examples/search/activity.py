"""The activity of each index, by kind of event: written by the subscribers, read by ``IndexStats``."""

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from examples.search import schema
from examples.search.clock import now


class Activity(msgspec.Struct, frozen=True):
    """How often a kind of event was seen, how many items that concerned, and when it last was."""

    count: int
    items: int
    last_at: str


async def note(session: AsyncSession, index: str, event: str, items: int) -> None:
    """Count one event. A counter shows at once if an event were handled twice, or not at all."""
    await schema.prepare(session)
    await session.execute(
        text(
            "INSERT INTO search_activity (index_name, event, count, items, last_at) "
            "VALUES (:index, :event, 1, :items, :now) "
            "ON CONFLICT (index_name, event) DO UPDATE SET "
            "count = search_activity.count + 1, items = search_activity.items + excluded.items, "
            "last_at = excluded.last_at"
        ),
        {"index": index, "event": event, "items": items, "now": now()},
    )


async def of_index(session: AsyncSession, index: str) -> dict[str, Activity]:
    """Give the activity of an index by name of event. It outlives the index: a new one of that name goes on."""
    rows = await session.execute(
        text(
            "SELECT event, count, items, last_at FROM search_activity WHERE index_name = :index ORDER BY event"
        ),
        {"index": index},
    )
    return {event: Activity(count, items, last_at) for event, count, items, last_at in rows.all()}
