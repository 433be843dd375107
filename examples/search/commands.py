"""The commands: what may be asked of the catalog, and under which key they stay in order."""

from typing import Annotated

import msgspec
from msgspec import Meta

from examples.search.change import Change
from examples.search.configuration import Configuration
from examples.search.errors import IndexExists, IndexNotFound, ItemsNotFound, SeveralApps
from examples.search.fields import AppName, IndexName, ItemUuid
from examples.search.interaction import Interaction
from examples.search.item import Item
from examples.search.selection import Selection
from worker import App, Retry

part = App("search")
"""The commands' part of the application; ``app.py`` includes it."""

# A command may overtake the one that it builds on: each type has its own queue, and order holds within a type only.
# Six attempts over half a minute give an index, or items, the time to arrive.
PATIENT = Retry(max_retries=5, delay=1.0, multiplier=2.0)
MISSING = {IndexNotFound: 404, ItemsNotFound: 404, SeveralApps: 422}
OF_APP = {"app": "app"}
OF_INDEX = {"app": "app", "index": "index"}


@part.command(key="index", errors={IndexExists: 409, SeveralApps: 422}, scopes=OF_INDEX)
class CreateIndex(msgspec.Struct, frozen=True):
    """Create an index; one that exists is an error."""

    index: IndexName
    app: AppName = ""
    configuration: Configuration = Configuration()


@part.command(key="index", retry=PATIENT, errors=MISSING, exclusive=True, scopes=OF_INDEX)
class ConfigureIndex(msgspec.Struct, frozen=True):
    """Configure an index anew; while that is done, no other command is handled in the fleet."""

    index: IndexName
    configuration: Configuration
    app: AppName = ""


@part.command(key="index", retry=PATIENT, errors=MISSING, scopes=OF_INDEX)
class DeleteIndex(msgspec.Struct, frozen=True):
    """Delete an index and all its items."""

    index: IndexName
    app: AppName = ""


@part.command(key="index", retry=PATIENT, errors=MISSING, scopes=OF_INDEX)
class ResetIndex(msgspec.Struct, frozen=True):
    """Remove all items of an index; its configuration stays."""

    index: IndexName
    app: AppName = ""


@part.command(key="index", retry=PATIENT, errors=MISSING, scopes=OF_INDEX)
class IndexItems(msgspec.Struct, frozen=True):
    """Add items, or replace those that are known."""

    index: IndexName
    items: Annotated[list[Item], Meta(min_length=1, max_length=100)]
    app: AppName = ""


@part.command(key="index", retry=PATIENT, errors=MISSING, scopes=OF_INDEX)
class UpdateItems(msgspec.Struct, frozen=True):
    """Change fields of all the items that a selection means."""

    index: IndexName
    query: Selection
    changes: Annotated[list[Change], Meta(min_length=1, max_length=20)]
    app: AppName = ""


@part.command(key="index", scopes=OF_INDEX)
class DeleteItems(msgspec.Struct, frozen=True):
    """Delete items; one that is not there is no fault."""

    index: IndexName
    items_uuid: Annotated[list[ItemUuid], Meta(min_length=1, max_length=100)]
    app: AppName = ""


@part.command(scopes=OF_APP)
class AddInteraction(msgspec.Struct, frozen=True):
    """Note what a user did with an item."""

    interaction: Interaction
    app: AppName = ""


@part.command(scopes=OF_APP)
class DeleteAllInteractions(msgspec.Struct, frozen=True):
    """Forget what all users did."""

    app: AppName = ""
