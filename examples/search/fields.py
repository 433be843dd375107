"""The kinds of value that messages are made of, with the limits that intake checks (422 when they are broken)."""

from typing import Annotated

from msgspec import Meta

# In Python `$` also matches before a final line feed, which has no place in a name; `(?!\n)` shuts it out
# and changes nothing for readers of the JSON Schema in other languages.
_NAME = r"^[a-z0-9][a-z0-9._-]*$(?!\n)"

IndexName = Annotated[
    str,
    Meta(min_length=1, max_length=48, pattern=_NAME, description="Name of an index.", examples=["books"]),
]
"""Name of an index: lower case, without spaces, since it also is the key that keeps commands in order."""

ItemId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=96,
        pattern=_NAME,
        description="Id of an item, unique in its index.",
        examples=["moby-dick"],
    ),
]
"""Id of an item; the same id in two indexes means two items."""

Title = Annotated[str, Meta(min_length=1, max_length=300)]
"""Title of an item; the only text that every item has."""

Author = Annotated[str, Meta(max_length=200)]
"""Who made it; empty where nobody is known."""

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
