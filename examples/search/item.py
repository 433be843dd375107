"""An entry of the catalog, as it is sent, stored and found."""

import msgspec

from examples.search.fields import Author, ItemId, Language, Subjects, Title, Year


class Item(msgspec.Struct, frozen=True):
    """One entry; what is not known about it is left out, or null."""

    id: ItemId
    title: Title
    author: Author = ""
    year: Year | None = None
    language: Language | None = None
    subjects: Subjects = []
