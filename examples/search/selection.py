"""Which items a command means."""

from typing import Annotated

import msgspec
from msgspec import Meta

from examples.search.fields import ItemUuid, Words


class Selection(msgspec.Struct, frozen=True):
    """Items with all the words, or those that are named; where both are given, the named ones that have the words.

    Raises:
        ValueError: neither is given: that would be all the items there are.
    """

    q: Words = ""
    items_uuid: Annotated[list[ItemUuid], Meta(max_length=100)] = []

    def __post_init__(self) -> None:
        """Refuse to mean everything by saying nothing."""
        if not self.q.strip() and not self.items_uuid:
            raise ValueError("expected q, items_uuid or both")
