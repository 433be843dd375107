"""The kinds of value that messages are made of, with the limits that intake checks (422 when they are broken)."""

from typing import Annotated

from msgspec import Meta

# In Python `$` also matches before a final line feed, which has no place in a name; `(?!\n)` shuts it out
# and changes nothing for readers of the JSON Schema in other languages.
_WORD = r"[a-z0-9][a-z0-9.-]*"
_ONE = rf"^{_WORD}$(?!\n)"

AppName = Annotated[
    str,
    Meta(
        max_length=48,
        pattern=rf"^({_WORD})?$(?!\n)",
        description="Whose index is meant; empty for one that belongs to no app.",
        examples=["shop"],
    ),
]
"""Name of an app: it keeps the indexes of one party apart from those of others."""

IndexName = Annotated[
    str,
    Meta(min_length=1, max_length=48, pattern=_ONE, description="Name of an index.", examples=["books"]),
]
"""Name of an index: lower case, without spaces, since it also is the key that keeps commands in order."""

IndexNames = Annotated[
    str,
    Meta(
        max_length=500,
        pattern=rf"^(\*|{_WORD}(,{_WORD})*)?$(?!\n)",
        description="Names of indexes with commas between them; * or nothing for all.",
        examples=["books", "books,films", "*"],
    ),
]
"""Names of some indexes of an app, or all of them."""

ItemId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=96,
        pattern=r"^[a-z0-9][a-z0-9._-]*$(?!\n)",
        description="Id of an item, unique in its index among those of its type.",
        examples=["moby-dick"],
    ),
]
"""Id of an item; the same id in two indexes means two items."""

ItemType = Annotated[str, Meta(min_length=1, max_length=48, pattern=_ONE, examples=["book"])]
"""What an item is."""

ItemUuid = Annotated[
    str,
    Meta(
        max_length=150,
        pattern=rf"^[a-z0-9][a-z0-9._-]*~{_WORD}$(?!\n)",
        description="Id and type of an item, with ~ between them.",
        examples=["moby-dick~book"],
    ),
]
"""An item's id and type in one text."""

Title = Annotated[str, Meta(min_length=1, max_length=300)]
"""Title of an item; the only text that every item has."""

Author = Annotated[str, Meta(max_length=200)]
"""Author of an item; empty where none is known."""

Year = Annotated[int, Meta(ge=-4000, le=2100, description="Year of publication; negative before our era.")]
"""Year of publication."""

Language = Annotated[
    str,
    Meta(
        min_length=2,
        max_length=3,
        pattern=r"^[a-z]{2,3}$(?!\n)",
        description="ISO 639 code of the original's language.",
        examples=["en", "grc"],
    ),
]
"""Language of the original: two letters, or three where two do not exist."""

Subjects = Annotated[list[Annotated[str, Meta(min_length=1, max_length=60)]], Meta(max_length=20)]
"""What an item is about; searched like title and author."""

Words = Annotated[str, Meta(max_length=200, description="Words to find; the last may be the start of one.")]
"""The text of a search."""

User = Annotated[str, Meta(min_length=1, max_length=96)]
"""A user of the catalog, by the application's own name for it."""
