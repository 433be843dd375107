"""How an index finds its items."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Searchable = Literal["title", "author", "subjects"]
"""A field whose words find an item."""


class Configuration(msgspec.Struct, frozen=True):
    """Which fields are searched; the others are stored and returned as well."""

    searchable: Annotated[tuple[Searchable, ...], Meta(min_length=1, max_length=3)] = (
        "title",
        "author",
        "subjects",
    )
