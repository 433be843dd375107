"""The commands: what may be asked of the catalog, and under which key they stay in order."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from examples.search.errors import IndexNotFound, ItemNotFound
from examples.search.fields import Author, IndexName, ItemId, Language, Subjects, Title, Year
from examples.search.item import Item
from worker import App, Retry

part = App("search")
"""The commands' part of the application; ``app.py`` includes it."""


@part.command(key="index")
class CreateIndex(msgspec.Struct, frozen=True):
    """Create an index; one that exists is left as it is."""

    index: IndexName


@part.command(key="index")
class IndexItems(msgspec.Struct, frozen=True):
    """Add items, or replace those whose ids are known. Creates the index where it is missing."""

    index: IndexName
    items: Annotated[list[Item], Meta(min_length=1, max_length=100)]


# An update may overtake the items it is about: each type has its own queue, and order holds within a type only.
# Six attempts over half a minute give the items the time to arrive.
@part.command(
    key="index",
    retry=Retry(max_retries=5, delay=1.0, multiplier=2.0),
    errors={IndexNotFound: 404, ItemNotFound: 404},
)
class UpdateItem(msgspec.Struct, frozen=True):
    """Change some fields of an item; a field that is not given stays, and null empties year or language."""

    index: IndexName
    id: ItemId
    title: Title | UnsetType = UNSET
    author: Author | UnsetType = UNSET
    year: Year | UnsetType | None = UNSET
    language: Language | UnsetType | None = UNSET
    subjects: Subjects | UnsetType = UNSET


@part.command(key="index")
class DeleteItem(msgspec.Struct, frozen=True):
    """Delete an item; one that is not there is no fault."""

    index: IndexName
    id: ItemId


@part.command(key="index")
class DeleteIndex(msgspec.Struct, frozen=True):
    """Delete an index and all its items; one that is not there is no fault."""

    index: IndexName
