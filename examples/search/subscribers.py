"""The subscribers: they count what happens to each index. Each has its own queue and transaction.

They run after the handlers and independently of them: the counts that ``GetIndices`` shows may lag behind the items.
"""

from examples.search import activity
from examples.search.events import (
    IndexWasConfigured,
    IndexWasReset,
    InteractionWasAdded,
    ItemsWereAdded,
    ItemsWereDeleted,
    ItemsWereUpdated,
    QueryWasMade,
)
from worker import App, Context

part = App("search")
"""The subscribers' part of the application; ``app.py`` includes it."""


@part.subscriber
async def count_configured(event: IndexWasConfigured, context: Context) -> None:
    """Count an index that was configured."""
    await activity.note(context.session, event.app, event.index, "IndexWasConfigured", 0)


@part.subscriber
async def count_reset(event: IndexWasReset, context: Context) -> None:
    """Count an index that was reset."""
    await activity.note(context.session, event.app, event.index, "IndexWasReset", 0)


@part.subscriber
async def count_added(event: ItemsWereAdded, context: Context) -> None:
    """Count items that were added or replaced."""
    await activity.note(context.session, event.app, event.index, "ItemsWereAdded", event.nb_items)


@part.subscriber
async def count_updated(event: ItemsWereUpdated, context: Context) -> None:
    """Count that items were updated."""
    await activity.note(context.session, event.app, event.index, "ItemsWereUpdated", 0)


@part.subscriber
async def count_deleted(event: ItemsWereDeleted, context: Context) -> None:
    """Count items that were deleted."""
    await activity.note(context.session, event.app, event.index, "ItemsWereDeleted", event.nb_items)


@part.subscriber(should_handle=lambda event: event.index not in {"", "*"} and "," not in event.index)
async def count_query(event: QueryWasMade, context: Context) -> None:
    """Count a search of one index."""
    await activity.note(context.session, event.app, event.index, "QueryWasMade", event.result_length)


@part.subscriber
async def tell_interaction(event: InteractionWasAdded, context: Context) -> None:
    """Write to the log what a user did."""
    context.log.info(
        "interaction", app=event.app, item=event.interaction.item_uuid, weight=event.interaction.weight
    )
