"""What a user did with an item."""

from typing import Annotated

import msgspec
from msgspec import Meta

from examples.search.fields import ItemUuid, User


class Interaction(msgspec.Struct, frozen=True):
    """One look, click or purchase; the higher its ``weight``, the more it says."""

    user: User
    item_uuid: ItemUuid
    weight: Annotated[int, Meta(ge=1, le=1000)] = 1
