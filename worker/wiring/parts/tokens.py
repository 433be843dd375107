"""The tokens part: who may call, and what is known of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from worker.state.tokens import SqlTokens
from worker.tokens.configured import configured
from worker.tokens.document import KnownToken
from worker.tokens.known import KnownTokens
from worker.tokens.principal import Principal, principal_of
from worker.wiring.parts.needs import Needs
from worker.wiring.parts.process import Process
from worker.wiring.parts.state import State
from worker.wiring.tokens import Tokening, marks, watch


class Tokens(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Tokens, and what this process knows of them.

    Attributes:
        store: of tokens.
        known: whose secrets are whose.
        tokening: changes and shows them.
        cache: seconds for which is believed what is known.
    """

    store: SqlTokens
    known: KnownTokens
    tokening: Tokening
    cache: float

    @property
    def in_use(self) -> bool:
        """Whether there is a token, or has ever been one."""
        return self.known.in_use

    async def find(self, secret: bytes) -> Principal | None:
        """Return whose a secret is; see the intake's port."""
        return await self.known.find(secret)

    async def spend(self, principal: Principal) -> None:
        """Count a message; see the intake's port."""

    async def all(self) -> Sequence[KnownToken]:
        """Return all tokens; see the intake's port."""
        return (*self.known.configured, *await self.store.all())

    async def named(self, id: str) -> Principal | None:
        """Return a stored token's principal; None where there is none of this id.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        token = await self.store.get(id)
        return None if token is None else principal_of(token, token.plugins, marks)

    async def watch(self) -> None:
        """Look at what other processes have changed, until cancelled."""
        await watch(self.store, self.known, self.cache)


@asynccontextmanager
async def opened_tokens(process: Process, state: State, needs: Needs) -> AsyncIterator[Tokens]:
    """Find out whether tokens are in use.

    Raises:
        DatabaseUnavailable: the database does not answer.
    """
    settings = process.settings.tokens
    store = SqlTokens(state.database)
    known = KnownTokens(store, configured(settings.secrets()), settings.cache, marks, process.clock)
    if needs.tables != "ignore":
        await known.look()
    yield Tokens(
        store=store,
        known=known,
        tokening=Tokening(store, known, process.registry.plugins),
        cache=settings.cache,
    )
