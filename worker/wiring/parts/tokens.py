"""The tokens part: who may call, and what is known of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec

from worker.errors import Unavailable
from worker.messaging.bus import Bus
from worker.messaging.declaration import Kind
from worker.middleware.emit import Emitter
from worker.state.token_counts import SqlTokenCounts
from worker.state.tokens import SqlTokens
from worker.tokens.configured import configured
from worker.tokens.document import KnownToken
from worker.tokens.known import KnownTokens
from worker.tokens.principal import Principal, principal_of
from worker.tokens.spending import Spending
from worker.wiring.announcing import Announcing
from worker.wiring.parts.needs import Needs
from worker.wiring.parts.process import Process
from worker.wiring.parts.sending import Sending
from worker.wiring.parts.state import State
from worker.wiring.tokens import Tokening, marks, watch

_FLUSH = 2.0
"""Seconds that the last uses have to be noted when the process ends."""


class Tokens(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Tokens, and what this process knows of them.

    Attributes:
        store: of tokens.
        known: whose secrets are whose.
        tokening: changes and shows them.
        counts: what they have sent, for all processes.
        spending: lets through what their limits do.
        cache: seconds for which is believed what is known.
        at_hand: whose a secret is, where that is known; see the intake's port.
    """

    store: SqlTokens
    known: KnownTokens
    tokening: Tokening
    counts: SqlTokenCounts
    spending: Spending
    cache: float
    at_hand: Callable[[bytes], Principal | None]

    @property
    def in_use(self) -> bool:
        """Whether there is a token, or has ever been one."""
        return self.known.in_use

    async def find(self, secret: bytes) -> Principal | None:
        """Return whose a secret is; see the intake's port."""
        return await self.known.find(secret)

    async def spend(self, principal: Principal) -> None:
        """Count a message; see the intake's port."""
        await self.spending.spend(principal)

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

    async def prune(self, keep: float) -> None:
        """Forget windows that ended long ago; see ``Prunes``."""
        await self.counts.prune()

    async def watch(self) -> None:
        """Look at what other processes have changed, until cancelled."""
        await watch(self.store, self.known, self.cache)


@asynccontextmanager
async def opened_tokens(
    process: Process, state: State, sending: Sending, dispatch: Mapping[Kind, Bus], needs: Needs
) -> AsyncIterator[Tokens]:
    """Find out whether tokens are in use; ``dispatch``: the buses that their events will go by.

    Raises:
        DatabaseUnavailable: the database does not answer.
    """
    settings = process.settings.tokens
    store = SqlTokens(state.database)
    known = KnownTokens(store, configured(settings.secrets()), settings.cache, marks, process.clock)
    if needs.tables != "ignore":
        await known.look()
    counts = SqlTokenCounts(state.database)
    emitter = Emitter(process.registry, dispatch, sending.senders, process.clock)
    announcing = Announcing(emitter, state.database.time, sending.relay.notify)
    tokening = Tokening(store, known, process.registry.plugins, announcing)
    try:
        yield Tokens(
            counts=counts,
            spending=Spending(counts, process.clock),
            store=store,
            tokening=tokening,
            known=known,
            cache=settings.cache,
            at_hand=known.at_hand,
        )
    finally:
        with contextlib.suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(_FLUSH):
                await known.note()
