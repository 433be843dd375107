"""The queries: what may be asked about the catalog, and the answers. They only read."""

from typing import Annotated

import msgspec
from msgspec import Meta

from examples.search.activity import Activity
from examples.search.configuration import Configuration
from examples.search.errors import IndexNotFound, SeveralApps
from examples.search.fields import AppName, IndexName, IndexNames, User, Words
from examples.search.item import Item
from worker import App

part = App("search")
"""The queries' part of the application; ``app.py`` includes it."""

OF_APP = {"app": "app"}
OF_INDEX = {"app": "app", "index": "index"}


@part.query(errors={IndexNotFound: 404, SeveralApps: 422}, scopes=OF_INDEX, hits="size")
class Query(msgspec.Struct, frozen=True):
    """Find items by the words of title, author and subjects; without words, all of them by title.

    ``{{name}}`` in ``q`` is replaced by that parameter, or removed where there is none. ``published`` true finds published
    items only, false the others only.
    """

    index: IndexNames = ""
    q: Words = ""
    size: Annotated[int, Meta(ge=1, le=100)] = 10
    page: Annotated[int, Meta(ge=1, le=1000)] = 1
    app: AppName = ""
    user: User | None = None
    published: bool | None = None
    parameters: dict[str, str] = {}


class Result(msgspec.Struct, frozen=True):
    """How many items match, and the best of them."""

    total: int
    items: list[Item]


@part.query(errors={SeveralApps: 422}, scopes=OF_INDEX)
class CheckIndex(msgspec.Struct, frozen=True):
    """Ask whether there is an index."""

    index: IndexName
    app: AppName = ""


@part.query(errors={SeveralApps: 422}, scopes=OF_APP)
class GetIndices(msgspec.Struct, frozen=True):
    """Ask which indexes an app has."""

    app: AppName = ""


class Index(msgspec.Struct, frozen=True):
    """An index, its size, and what the subscribers have counted so far, by name of event."""

    app: str
    index: str
    created_at: str
    items: int
    configuration: Configuration
    activity: dict[str, Activity]
