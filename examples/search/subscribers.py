"""The subscribers: they count what happens to each index. Each has its own queue and transaction.

They run after the handlers, by themselves: what ``IndexStats`` shows of them may lag behind the items.
"""

from examples.search import activity
from examples.search.events import IndexCreated, IndexDeleted, ItemDeleted, ItemsIndexed, ItemUpdated
from worker import App, Context

part = App("search")
"""The subscribers' part of the application; ``app.py`` includes it."""


@part.subscriber
async def count_created_index(event: IndexCreated, context: Context) -> None:
    """Count an index that was created."""
    await activity.note(context.session, event.index, "IndexCreated", 0)


@part.subscriber
async def count_indexed_items(event: ItemsIndexed, context: Context) -> None:
    """Count items that were added or replaced."""
    await activity.note(context.session, event.index, "ItemsIndexed", len(event.ids))


@part.subscriber
async def count_updated_item(event: ItemUpdated, context: Context) -> None:
    """Count an item that was updated."""
    await activity.note(context.session, event.index, "ItemUpdated", 1)


@part.subscriber
async def count_deleted_item(event: ItemDeleted, context: Context) -> None:
    """Count an item that was deleted."""
    await activity.note(context.session, event.index, "ItemDeleted", 1)


@part.subscriber
async def count_deleted_index(event: IndexDeleted, context: Context) -> None:
    """Count an index that was deleted, and the items that went with it."""
    await activity.note(context.session, event.index, "IndexDeleted", event.items)
