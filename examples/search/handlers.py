"""The handlers: one for each command."""

import msgspec

from examples.search import interactions
from examples.search.commands import (
    AddInteraction,
    ConfigureIndex,
    CreateIndex,
    DeleteAllInteractions,
    DeleteIndex,
    DeleteItems,
    IndexItems,
    ResetIndex,
    UpdateItems,
)
from examples.search.errors import IndexExists, ItemsNotFound
from examples.search.events import (
    IndexWasConfigured,
    IndexWasReset,
    InteractionWasAdded,
    ItemsWereAdded,
    ItemsWereDeleted,
    ItemsWereUpdated,
)
from examples.search.storage import Catalog
from worker import App, Context

part = App("search")
"""The handlers' part of the application; ``app.py`` includes it."""


@part.handler
async def create_index(command: CreateIndex, context: Context) -> None:
    """Create the index.

    Raises:
        IndexExists: there is one.
    """
    catalog = await Catalog.open(context.session, command.app)
    if not await catalog.create_index(command.index, command.configuration):
        raise IndexExists(command.index)


@part.handler
async def configure_index(command: ConfigureIndex, context: Context) -> None:
    """Configure the index; its items are found by the new configuration as soon as this is committed.

    Raises:
        IndexNotFound: there is none, perhaps not yet: the message is retried.
    """
    catalog = await Catalog.open(context.session, command.app)
    await catalog.index(command.index)
    await catalog.configure_index(command.index, command.configuration)
    config = msgspec.json.encode(command.configuration).decode()
    context.record(IndexWasConfigured(command.app, command.index, config))


@part.handler
async def delete_index(command: DeleteIndex, context: Context) -> None:
    """Delete the index with its items.

    Raises:
        IndexNotFound: there is none, perhaps not yet.
    """
    catalog = await Catalog.open(context.session, command.app)
    await catalog.index(command.index)
    await catalog.delete_index(command.index)


@part.handler
async def reset_index(command: ResetIndex, context: Context) -> None:
    """Delete the items of the index.

    Raises:
        IndexNotFound: there is none, perhaps not yet.
    """
    catalog = await Catalog.open(context.session, command.app)
    await catalog.index(command.index)
    await catalog.reset_index(command.index)
    context.record(IndexWasReset(command.app, command.index))


@part.handler
async def index_items(command: IndexItems, context: Context) -> None:
    """Store the items.

    Raises:
        IndexNotFound: the index is not there, perhaps not yet.
    """
    catalog = await Catalog.open(context.session, command.app)
    # an item that stands twice in a command is stored, and named in the event, once: the last one wins
    items = {item.uuid: item for item in command.items}
    await catalog.put(command.index, list(items.values()))
    context.record(ItemsWereAdded(command.app, command.index, len(items), list(items)))


@part.handler
async def update_items(command: UpdateItems, context: Context) -> None:
    """Change the items that are meant, and say so if there were any.

    Raises:
        IndexNotFound: the index is not there, perhaps not yet.
        ItemsNotFound: items that are named are not there, perhaps not yet.
    """
    catalog = await Catalog.open(context.session, command.app)
    await catalog.index(command.index)
    named = command.query.items_uuid
    there = {item.uuid for item in await catalog.select(command.index, "", named)} if named else set()
    missing = [uuid for uuid in named if uuid not in there]
    if missing:
        raise ItemsNotFound(command.index, missing)
    items = await catalog.select(command.index, command.query.q, named)
    if not items:
        return
    changes = {change.field: change.value for change in command.changes}
    await catalog.put(command.index, [msgspec.structs.replace(item, **changes) for item in items])
    filters, made = (msgspec.json.encode(part).decode() for part in (command.query, command.changes))
    context.record(ItemsWereUpdated(command.app, command.index, filters, made))


@part.handler
async def delete_items(command: DeleteItems, context: Context) -> None:
    """Delete the items, and name those that were there."""
    catalog = await Catalog.open(context.session, command.app)
    deleted = await catalog.delete(command.index, command.items_uuid)
    if deleted:
        context.record(ItemsWereDeleted(command.app, command.index, len(deleted), deleted))


@part.handler
async def add_interaction(command: AddInteraction, context: Context) -> None:
    """Note what a user did."""
    await interactions.add(context.session, command.app, command.interaction)
    context.record(InteractionWasAdded(command.app, command.interaction))


@part.handler
async def delete_all_interactions(command: DeleteAllInteractions, context: Context) -> None:
    """Forget what all users did."""
    await interactions.delete_all(context.session, command.app)
