"""A change of items: one field and its new value."""

from typing import Any, Literal

import msgspec

from examples.search.item import Item

Field = Literal["title", "author", "year", "language", "subjects", "published"]
"""A field that may be changed."""


class Change(msgspec.Struct, frozen=True):
    """Sets a field; null empties ``year`` or ``language``.

    Raises:
        ValueError: the value does not fit the field.
    """

    field: Field
    value: Any

    def __post_init__(self) -> None:
        """Check the value as it would be checked in an item."""
        try:
            msgspec.convert({"id": "any", "title": "Any", self.field: self.value}, Item)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from None
