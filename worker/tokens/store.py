"""Ports: where tokens are stored, and where what they sent is counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from worker.tokens.document import KnownToken, TokenDocument
from worker.tokens.limits import Unit, Window


class Held(NamedTuple):
    """A stored token, and the hash of its secret."""

    token: KnownToken
    secret_hash: str


class Stored(NamedTuple):
    """What storing a token came to: whether it is a new one, and whether its secret is the one that was given."""

    created: bool
    renewed: bool


Allows = Callable[[TokenDocument], None]
"""Raises Forbidden for a token that the one who changes it may not touch; asked in the transaction."""


class TokenStore(Protocol):
    """Keeps tokens. Every method raises DatabaseUnavailable when the database does not answer."""

    async def in_use(self) -> bool:
        """Whether there is a token, or has ever been one."""
        ...

    async def find(self, hashes: Sequence[str]) -> Sequence[Held]:
        """Return those of these secrets."""
        ...

    async def get(self, id: str) -> KnownToken | None:
        """Return one by its id."""
        ...

    async def all(self) -> Sequence[KnownToken]:
        """Return all, by their ids."""
        ...

    async def used(self, times: Mapping[str, float]) -> None:
        """Note when tokens were last shown."""
        ...


class Counts(Protocol):
    """Counts what tokens sent, for all processes together."""

    async def take(self, token: str, wanted: Sequence[Wanted]) -> Sequence[int | None]:
        """Add to the counts, each for itself where that stays within its limit.

        Returns:
            The count then, for each; None where it would be beyond the limit, and nothing was added.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        ...


class Wanted(NamedTuple):
    """So many more messages in a window of a unit, where there are no more than the most then."""

    unit: Unit
    window: Window
    more: int
    most: int
