"""Known tokens: what a process knows of the secrets that callers show, for a while and in bounds."""

from __future__ import annotations

import asyncio
import contextvars
import hmac
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import NamedTuple, TypeVar

import msgspec

from worker.tokens.configured import Configured
from worker.tokens.document import KnownToken
from worker.tokens.principal import Marks, Principal, principal_of
from worker.tokens.secret import LONGEST, digest_of
from worker.tokens.store import TokenStore

V = TypeVar("V")

ROOM = 10_000
"""Secrets that are remembered, of tokens, and of none: who invents secrets pushes out no token."""
BATCH = 500
"""Secrets that one statement looks for."""


class _Entry(NamedTuple):
    principal: Principal
    until: float


class KnownTokens:
    """Finds who shows a secret.

    What is known holds for some seconds; then it is looked up again. Lookups at the same time share a statement, and only
    one is under way, so that callers who try secrets cost the database no more than one of them.

    Args:
        store: of tokens.
        configured: those of the settings.
        seconds: for which is believed what was looked up.
        marks: makes what travels with their messages.
        wall: seconds since the epoch.
        now: seconds that go on evenly.

    Attributes:
        in_use: whether there is a token, or has ever been one; True for good.
    """

    def __init__(
        self,
        store: TokenStore,
        configured: Iterable[Configured],
        seconds: float,
        marks: Marks,
        wall: Callable[[], float],
        now: Callable[[], float] | None = None,
    ) -> None:
        self._store = store
        self._seconds = seconds
        self._marks = marks
        self._wall = wall
        self._now = now or asyncio.get_running_loop().time
        self._configured = tuple(configured)
        self._fixed = [(one.digest, principal_of(one.token, one.plugins, marks)) for one in self._configured]
        self.in_use = bool(self._fixed)
        self._held: OrderedDict[bytes, _Entry] = OrderedDict()
        self._none: OrderedDict[bytes, float] = OrderedDict()
        self._asked: dict[bytes, asyncio.Future[Principal | None]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._used: dict[str, float] = {}
        self._forgotten = 0

    @property
    def configured(self) -> tuple[KnownToken, ...]:
        """The tokens of the settings."""
        return tuple(one.token for one in self._configured)

    def at_hand(self, secret: bytes) -> Principal | None:
        """Return whose a secret is, where that is known already."""
        digest = sha256(secret).digest()
        entry = self._held.get(digest)
        if entry is not None and entry.until > self._now():
            return entry.principal
        return self._fixed_one(digest)

    def _fixed_one(self, digest: bytes) -> Principal | None:
        for one, principal in self._fixed:
            if hmac.compare_digest(one, digest):
                return principal
        return None

    async def find(self, secret: bytes) -> Principal | None:
        """Return whose the secret is; None where it is no token's. Whether the token has expired is not asked.

        Raises:
            DatabaseUnavailable: it is not known, and the database does not answer.
        """
        if not 0 < len(secret) <= LONGEST:
            return None
        found = self.at_hand(secret)
        if found is not None:
            return found
        digest = digest_of(secret)
        if self._none.get(digest, 0.0) > self._now():
            return None
        future = self._asked.get(digest)
        if future is None:
            future = self._asked[digest] = asyncio.get_running_loop().create_future()
            future.add_done_callback(_seen)
        if self._looking is None:
            # in a context of its own: it is no caller's, and ends with none
            self._looking = asyncio.get_running_loop().create_task(
                self._look(), context=contextvars.Context()
            )
        return await asyncio.shield(future)

    def forget(self) -> None:
        """Look everything up again: tokens were changed here."""
        self._forgotten += 1
        self._held.clear()
        self._none.clear()
        self.in_use = True

    async def look(self) -> None:
        """Find out whether tokens are in use by now.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        if not self.in_use:
            self.in_use = await self._store.in_use() or self.in_use

    async def note(self) -> None:
        """Note when tokens were used since the last time.

        Raises:
            DatabaseUnavailable: the database does not answer; what is to note stays.
        """
        used, self._used = self._used, {}
        if used:
            try:
                await self._store.used(used)
            except BaseException:
                self._used = used | self._used
                raise

    async def _look(self) -> None:
        """Look up what is asked for, until nothing is."""
        try:
            while self._asked:
                asked = dict(list(self._asked.items())[:BATCH])
                try:
                    found = await self._found(asked)
                except Exception as error:
                    for digest, future in asked.items():
                        del self._asked[digest]
                        if not future.done():
                            future.set_exception(error)
                    continue
                for digest, future in asked.items():
                    del self._asked[digest]
                    if not future.done():
                        future.set_result(found.get(digest))
        finally:
            self._looking = None
            for future in self._asked.values():
                future.cancel()
            self._asked.clear()

    async def _found(self, asked: Iterable[bytes]) -> Mapping[bytes, Principal]:
        digests = list(asked)
        before = self._forgotten
        until = self._now() + self._seconds  # from when it was asked: the answer may be as old as that
        held = await self._store.find([digest.hex() for digest in digests])
        found: dict[bytes, Principal] = {}
        for token, secret_hash in held:
            digest = bytes.fromhex(secret_hash)
            found[digest] = self._principal(digest, token)
            self._used[token.id] = self._wall()
        if found:
            self.in_use = True
        if before == self._forgotten:
            for digest in digests:
                if digest in found:
                    _keep(self._held, digest, _Entry(found[digest], until))
                    self._none.pop(digest, None)
                else:
                    self._held.pop(digest, None)
                    _keep(self._none, digest, until)
        return found

    def _principal(self, digest: bytes, token: KnownToken) -> Principal:
        """Keep the one that is known where the token is as it was, and with it all that was found out about it."""
        entry = self._held.get(digest)
        known = None if entry is None else entry.principal.token
        if entry is not None and isinstance(known, KnownToken):
            same = known == msgspec.structs.replace(token, used_at=known.used_at)
            return entry.principal if same else principal_of(token, token.plugins, self._marks)
        return principal_of(token, token.plugins, self._marks)


def _keep(room: OrderedDict[bytes, V], key: bytes, value: V) -> None:
    room[key] = value
    room.move_to_end(key)
    while len(room) > ROOM:
        room.popitem(last=False)


def _seen(future: asyncio.Future[Principal | None]) -> None:
    """An error that no caller waits for any more is dropped."""
    if not future.cancelled():
        future.exception()
