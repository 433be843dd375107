"""The session that a handler gets: an ``AsyncSession`` whose end is decided by the unit of work."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.util import greenlet_spawn

from worker.errors import UsageError
from worker.state.sessions.guard import COMMITS, Guard
from worker.state.sessions.held_connection import HeldConnection, ShownEngine

_ROLLBACK_TIMEOUT = 5.0


class HeldSession(Session):
    """What is below the handler's session: it ends no transaction by hand either.

    Attributes:
        guard: what it may still do.
        aside: objects whose changes are not written, by their ids: it was not asked for yet.
    """

    def __init__(self, *given: Any, guard: Guard, **options: Any) -> None:
        super().__init__(*given, **options)
        self.guard = guard
        self.aside: dict[int, object] = {}

    def commit(self) -> None:
        """Commit, for the unit of work."""
        self._only_when_settling("commit()")
        super().commit()

    def rollback(self) -> None:
        """Refuse, while the handler runs."""
        self._only_when_settling(
            "rollback()", "raise an error instead; it rolls back when the handler raises"
        )
        super().rollback()

    def close(self) -> None:
        """Close, for the unit of work."""
        if not self.guard.settling:
            # not remembered: close_all_sessions() of one handler reaches those of the others
            raise UsageError("context.session.close(): it is closed when the handler ends")
        super().close()

    def reset(self) -> None:
        """Refuse, while the handler runs."""
        self._only_when_settling("reset()", "it is closed when the handler ends")
        super().reset()

    def invalidate(self) -> None:
        """Refuse, while the handler runs."""
        self._only_when_settling("invalidate()", "it is closed when the handler ends")
        super().invalidate()

    def begin(self, nested: bool = False) -> SessionTransaction:
        """Begin a savepoint; refuse anything else."""
        if not nested:
            self._only_when_settling("begin()", "it begins by itself; use begin_nested() for a savepoint")
        return super().begin(nested)

    def __enter__(self) -> NoReturn:
        """Refuse.

        Raises:
            UsageError: always.
        """
        raise _as_context(self.guard)

    def _only_when_settling(self, call: str, instead: str = COMMITS) -> None:
        if not self.guard.settling:
            raise self.guard.refuse(f"context.session.{call}: {instead}")


@event.listens_for(HeldSession, "after_begin")
def _after_begin(session: HeldSession, transaction: SessionTransaction, connection: Connection) -> None:
    if transaction.parent is None:
        session.guard.begin(connection)


@event.listens_for(HeldSession, "before_flush")
def _before_flush(session: HeldSession, *_: object) -> None:
    if session.aside:
        for obj in [one for one in session.dirty if id(one) in session.aside]:
            session.expunge(obj)


class HandlerSession(AsyncSession):
    """An ``AsyncSession`` that a handler reads and writes with, but neither commits, rolls back nor closes.

    A commit by hand would part the handler's writes from its inbox row and its events. ``begin_nested`` gives
    a savepoint. Once its handler has ended it does nothing more.

    Args:
        engine: its connections come from here.
        shown: what the handler may see of the engine.
    """

    def __init__(self, engine: AsyncEngine, shown: ShownEngine) -> None:
        self.guard = Guard()
        super().__init__(
            engine,
            sync_session_class=HeldSession,
            guard=self.guard,
            expire_on_commit=False,
            close_resets_only=False,
        )
        self.bind = shown

    @property
    def misuse(self) -> UsageError | None:
        """The first wrong use of it, None where there was none."""
        return self.guard.misuse

    def begin(self) -> Any:
        """Refuse.

        Raises:
            UsageError: always.
        """
        raise self.guard.refuse(
            "context.session.begin(): it begins by itself; use begin_nested() for a savepoint"
        )

    async def connection(self, *given: Any, **options: Any) -> AsyncConnection:
        """Return the connection of its transaction, which ends no transaction either."""
        return HeldConnection.of(await super().connection(*given, **options), self.guard)

    async def __aenter__(self) -> NoReturn:
        """Refuse.

        Raises:
            UsageError: always.
        """
        raise _as_context(self.guard)

    async def settle(self) -> None:
        """Commit: for the unit of work.

        Raises:
            UsageError: the handler used it wrongly; nothing is committed.
        """
        if self.guard.misuse is not None:
            raise self.guard.misuse
        self.guard.settling = True
        await super().commit()

    async def undo(self) -> None:
        """Roll back and let go of the connection, for good: for the unit of work."""
        self.guard.settling = True
        try:
            await super().close()
        except BaseException:
            # a task that the handler left behind uses it this moment: no other can use its connection any more
            if self.guard.connection is not None and not self.guard.connection.closed:
                await greenlet_spawn(self.guard.connection.invalidate)
            raise

    async def let_go(self) -> None:
        """Roll back and let go of the connection within some seconds; never raises, unless it is cancelled."""
        try:
            async with asyncio.timeout(_ROLLBACK_TIMEOUT):
                await self.undo()
        except Exception:  # the connection is dropped by then, and with it the transaction
            pass


def _as_context(guard: Guard) -> UsageError:
    return guard.refuse("async with context.session: use it as it is; it is closed when the handler ends")
