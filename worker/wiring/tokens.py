"""Tokens: the messages that change and show them, and what a process knows of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from worker.errors import Fault, Guarded, InvalidMessage, Unavailable
from worker.messaging.context import Context
from worker.messaging.stamps import Plugins, SentBy, Stamp, Token
from worker.state.tokens import SqlTokens
from worker.tokens.beyond import check_within
from worker.tokens.configured import KINDS
from worker.tokens.document import TokenDocument, faults_of, in_utc
from worker.tokens.events import TokensWereDeleted, TokenWasAdded, TokenWasDeleted
from worker.tokens.known import KnownTokens
from worker.tokens.messages import AddToken, DeleteToken, DeleteTokens, GetTokens, TokenAdded, Tokens
from worker.tokens.principal import ANYONE, Principal
from worker.tokens.secret import is_hash
from worker.wiring.announcing import Announcing
from worker.wiring.built_in import BuiltIn

_LOOK_AGAIN = 0.1
"""Seconds between two looks at whether tokens are in use, at least."""
_NOTE = 30.0
"""Seconds between two notes of when tokens were used."""


def marks(id: str, plugins: tuple[str, ...] | None) -> tuple[Stamp, ...]:
    """What travels with each message of a token: its id and its plugins; all plugins need no word."""
    return (Token(id),) if plugins is None else (Token(id), Plugins(plugins))


class Tokening:
    """Handles ``AddToken``, ``DeleteToken``, ``DeleteTokens`` and ``GetTokens``.

    Their sender is in their ``SentBy`` stamp. Without one it is the application itself, or its operator, who may do all.

    Args:
        store: of tokens.
        known: what this process knows of them.
        plugins: that there are in the application.
        announcing: lets their events leave.
    """

    def __init__(
        self, store: SqlTokens, known: KnownTokens, plugins: Sequence[str], announcing: Announcing
    ) -> None:
        self._store = store
        self._known = known
        self._plugins = plugins
        self._announcing = announcing

    def messages(self) -> tuple[BuiltIn, ...]:
        """The messages, and what handles them."""
        return (
            BuiltIn(cls=AddToken, call=self.add, right="tokens", wants_context=True),
            BuiltIn(cls=DeleteToken, call=self.delete, right="tokens", wants_context=True),
            BuiltIn(cls=DeleteTokens, call=self.delete_all, right="tokens", wants_context=True),
            BuiltIn(cls=GetTokens, call=self.get, right="tokens.read", kind="query"),
        )

    async def add(self, command: AddToken, context: Context) -> TokenAdded:
        """Store the token.

        Raises:
            InvalidMessage: it cannot be meant.
            Guarded: its id is that of a configured one, or its secret is another's.
            Forbidden: it goes beyond its sender, or the one that it replaces does.
        """
        token = in_utc(self._checked(command))
        own = _sender(context)
        check_within(own, token)
        put = await self._announcing.with_change(
            context,
            TokenWasAdded(token.id),
            lambda beside: self._store.put(
                token,
                command.secret_hash,
                renew=command.renew,
                allows=lambda before: check_within(own, before),
                beside=beside,
            ),
        )
        self._known.forget()
        return TokenAdded(token.id, put.created, put.renewed)

    async def delete(self, command: DeleteToken, context: Context) -> None:
        """Remove the token.

        Raises:
            NotFound: there is none of this id.
            Guarded: it is a configured one.
            Forbidden: it goes beyond its sender.
        """
        own = _sender(context)
        if any(one.id == command.id for one in self._known.configured):
            raise Guarded(
                f"token {command.id!r} stands in the settings; take tokens.{command.id} out of them"
            )
        await self._announcing.with_change(
            context,
            TokenWasDeleted(command.id),
            lambda beside: self._store.remove(
                command.id, allows=lambda before: check_within(own, before), beside=beside
            ),
        )
        self._known.forget()

    async def delete_all(self, command: DeleteTokens, context: Context) -> int:
        """Remove all stored tokens, or none; return how many.

        Raises:
            Forbidden: one of them goes beyond its sender.
        """
        own = _sender(context)
        gone = await self._announcing.with_change(
            context,
            TokensWereDeleted(),
            lambda beside: self._store.remove_all(
                allows=lambda before: check_within(own, before), beside=beside
            ),
        )
        self._known.forget()
        return gone

    async def get(self, query: GetTokens) -> Tokens:
        """Return all tokens: those of the settings, then those that are stored."""
        return Tokens((*self._known.configured, *await self._store.all()))

    def _checked(self, command: AddToken) -> TokenDocument:
        faults: list[Fault] = []
        try:
            token = msgspec.convert(msgspec.to_builtins(command.token), TokenDocument)
        except (TypeError, ValueError) as error:  # made in Python, where nothing has read it
            raise InvalidMessage("AddToken", [Fault("/token", str(error))]) from error
        faults += [Fault(f"/token{at}", text) for at, text in faults_of(token, self._plugins)]
        if not is_hash(command.secret_hash):
            faults.append(
                Fault("/secret_hash", "expected SHA-256 in hexadecimal, 64 small letters and digits")
            )
        if faults:
            raise InvalidMessage("AddToken", faults)
        if token.id in KINDS:
            raise Guarded(f"token {token.id!r}: the id is that of a token in the settings; expected another")
        return token


async def watch(store: SqlTokens, known: KnownTokens, seconds: float) -> None:
    """Note that tokens are in use where some are configured, and look at what others have changed; until cancelled."""
    marked = not known.configured
    loop = asyncio.get_running_loop()
    noted = loop.time()
    while True:
        try:
            if not marked:
                await store.mark_in_use()
                marked = True
            await known.look()
            if (now := loop.time()) >= noted + _NOTE:
                noted = now
                await known.note()
        except Unavailable:
            pass  # what was known holds: nothing can be stored meanwhile
        await asyncio.sleep(max(_LOOK_AGAIN, seconds / 2))


def _sender(context: Context) -> Principal:
    stamp = context.envelope.get(SentBy)
    found = ANYONE if stamp is None else stamp.principal
    return found if isinstance(found, Principal) else ANYONE
