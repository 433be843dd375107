"""An entry of the catalog, as it is sent, stored and found."""

import msgspec

from examples.search.fields import Author, ItemId, ItemType, Language, Subjects, Title, Year


class Item(msgspec.Struct, frozen=True):
    """One entry; what is not known about it is left out, or null. One that is not published is hidden from some callers."""

    id: ItemId
    title: Title
    author: Author = ""
    year: Year | None = None
    language: Language | None = None
    subjects: Subjects = []
    type: ItemType = "book"
    published: bool = True

    @property
    def uuid(self) -> str:
        """Its id and type in one text."""
        return f"{self.id}~{self.type}"
