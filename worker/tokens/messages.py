"""The messages that change and show tokens; handled at once, never queued, on the application's buses."""

from __future__ import annotations

import msgspec

from worker.tokens.document import KnownToken, TokenDocument


class AddToken(msgspec.Struct, frozen=True):
    """Store a token, in place of the one with its id.

    Attributes:
        token: what it may do.
        secret_hash: SHA-256 of its secret in UTF-8, in hexadecimal; the secret itself goes nowhere.
        renew: whether a token that exists gets this secret, too; else it keeps its own.
    """

    token: TokenDocument
    secret_hash: str
    renew: bool = True


class DeleteToken(msgspec.Struct, frozen=True):
    """Remove a stored token.

    Attributes:
        id: its name.
    """

    id: str


class DeleteTokens(msgspec.Struct, frozen=True):
    """Remove all stored tokens."""


class GetTokens(msgspec.Struct, frozen=True):
    """Return all tokens: those of the settings, and those that are stored by their ids."""


class TokenAdded(msgspec.Struct, frozen=True):
    """What storing a token came to.

    Attributes:
        id: its name.
        created: whether it is a new one.
        renewed: whether its secret is the one that was given.
    """

    id: str
    created: bool
    renewed: bool


class Tokens(msgspec.Struct, frozen=True):
    """All tokens, without their secrets."""

    items: tuple[KnownToken, ...]
