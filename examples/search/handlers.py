"""The handlers: one a command. Each may run again after a crash, so each is a no-op where its work is done."""

import msgspec

from examples.search.commands import CreateIndex, DeleteIndex, DeleteItem, IndexItems, UpdateItem
from examples.search.errors import IndexNotFound, ItemNotFound
from examples.search.events import IndexCreated, IndexDeleted, ItemDeleted, ItemsIndexed, ItemUpdated
from examples.search.storage import Catalog
from worker import App, Context

part = App("search")
"""The handlers' part of the application; ``app.py`` includes it."""

_CHANGEABLE = ("title", "author", "year", "language", "subjects")


@part.handler
async def create_index(command: CreateIndex, context: Context) -> None:
    """Create the index, and say so if it is new."""
    catalog = await Catalog.open(context.session)
    if await catalog.create_index(command.index):
        context.record(IndexCreated(command.index))


@part.handler
async def index_items(command: IndexItems, context: Context) -> None:
    """Store the items, and the index with them when it is missing.

    ``CreateIndex`` waits in another queue and may be handled later than items that were sent after it. Refusing
    items for a missing index would make the outcome a matter of luck, so the first to arrive creates it.
    """
    catalog = await Catalog.open(context.session)
    if await catalog.create_index(command.index):
        context.record(IndexCreated(command.index))
    await catalog.put(command.index, command.items)
    # an id may stand twice in one command; the last one wins and is reported once
    context.record(ItemsIndexed(command.index, list(dict.fromkeys(item.id for item in command.items))))


@part.handler
async def update_item(command: UpdateItem, context: Context) -> None:
    """Set the given fields.

    Raises:
        IndexNotFound: there is no such index, perhaps not yet: the message is retried.
        ItemNotFound: there is no such item, likewise.
    """
    catalog = await Catalog.open(context.session)
    given = {name: getattr(command, name) for name in _CHANGEABLE}
    changes = {name: value for name, value in given.items() if value is not msgspec.UNSET}
    if not await catalog.has_index(command.index):
        raise IndexNotFound(command.index)
    item = await catalog.get(command.index, command.id)
    if item is None:
        raise ItemNotFound(command.index, command.id)
    if changes:
        await catalog.put(command.index, [msgspec.structs.replace(item, **changes)])
        context.record(ItemUpdated(command.index, command.id, list(changes)))


@part.handler
async def delete_item(command: DeleteItem, context: Context) -> None:
    """Delete the item, and say so if it was there."""
    catalog = await Catalog.open(context.session)
    if await catalog.delete(command.index, command.id):
        context.record(ItemDeleted(command.index, command.id))


@part.handler
async def delete_index(command: DeleteIndex, context: Context) -> None:
    """Delete the index with its items, and say so if it was there."""
    catalog = await Catalog.open(context.session)
    items = await catalog.count(command.index)
    if await catalog.delete_index(command.index):
        context.record(IndexDeleted(command.index, items))
