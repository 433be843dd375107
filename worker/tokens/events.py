"""The events that tell of changes of tokens; heard where an application subscribes to them."""

from __future__ import annotations

import msgspec


class TokenWasAdded(msgspec.Struct, frozen=True):
    """A token was stored, a new one or in place of one.

    Attributes:
        id: its name.
    """

    id: str


class TokenWasDeleted(msgspec.Struct, frozen=True):
    """A stored token was removed.

    Attributes:
        id: its name.
    """

    id: str


class TokensWereDeleted(msgspec.Struct, frozen=True):
    """All stored tokens were removed at once."""
