"""Configured tokens: those whose secrets stand in the settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from worker.tokens.document import KnownToken
from worker.tokens.rights import RIGHTS, Given
from worker.tokens.secret import digest_of

_READ_ONLY: tuple[Given, ...] = (
    "ask",
    "status",
    "docs",
    "health",
    "metrics",
    "dashboard",
    "audit",
    *(right for right in RIGHTS if right.endswith(".read")),
)
KINDS: Mapping[str, KnownToken] = {
    "root": KnownToken(id="root", rights=("*",), ttl=0),
    "read_only": KnownToken(id="read_only", rights=_READ_ONLY),
    "ping": KnownToken(id="ping", rights=("health",)),
}
"""What each of them may do; their ids are never those of stored ones."""


class Configured(msgspec.Struct, frozen=True):
    """A configured token, and what is known of its secret.

    ``plugins``: those that it switches on; None for all, as root does.
    """

    token: KnownToken
    digest: bytes
    plugins: tuple[str, ...] | None


def configured(secrets: Mapping[str, str | None]) -> Iterator[Configured]:
    """Return the tokens whose secrets are there: an absent or empty one is that of no token."""
    for id, secret in secrets.items():
        if secret:
            token = KINDS[id]
            yield Configured(
                token, digest_of(secret.encode()), None if "*" in token.rights else token.plugins
            )
