"""The activity of each index, by kind of event: written by the subscribers, read by ``GetIndices``."""

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


async def note(session: AsyncSession, app: str, index: str, event: str, items: int) -> None:
    """Count one event. The count shows at once whether an event was handled twice, or not at all."""
    await schema.prepare(session)
    await session.execute(
        text(
            "INSERT INTO catalog_activity (app, index_name, event, count, items, last_at) "
            "VALUES (:app, :index, :event, 1, :items, :now) "
            "ON CONFLICT (app, index_name, event) DO UPDATE SET "
            "count = catalog_activity.count + 1, items = catalog_activity.items + excluded.items, "
            "last_at = excluded.last_at"
        ),
        {"app": app, "index": index, "event": event, "items": items, "now": now()},
    )


async def of_app(session: AsyncSession, app: str) -> dict[str, dict[str, Activity]]:
    """Give the activity of an app's indexes, each by name of event. An index that is made again keeps its counts."""
    found: dict[str, dict[str, Activity]] = {}
    if not await schema.is_ready(session):
        return found
    rows = await session.execute(
        text(
            "SELECT index_name, event, count, items, last_at FROM catalog_activity WHERE app = :app ORDER BY event"
        ),
        {"app": app},
    )
    for index, event, count, items, last_at in rows.all():
        found.setdefault(index, {})[event] = Activity(count, items, last_at)
    return found
