"""What a handler sees of its session's connection and engine: neither ends its transaction, nor begins another."""

from __future__ import annotations

from typing import Any, NoReturn

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from worker.errors import UsageError
from worker.state.sessions.guard import COMMITS, Guard


class HeldConnection(AsyncConnection):
    """The connection of a handler's transaction."""

    guard: Guard

    @classmethod
    def of(cls, connection: AsyncConnection, guard: Guard) -> HeldConnection:
        """Show a connection as held by its session."""
        held = cls(connection.engine, connection.sync_connection)
        held.guard = guard
        return held

    async def commit(self) -> NoReturn:
        """Refuse."""
        raise self._refuse("commit()")

    async def rollback(self) -> NoReturn:
        """Refuse."""
        raise self._refuse("rollback()")

    async def close(self) -> NoReturn:
        """Refuse."""
        raise self._refuse("close()")

    async def aclose(self) -> NoReturn:
        """Refuse."""
        raise self._refuse("aclose()")

    async def invalidate(self, exception: BaseException | None = None) -> NoReturn:
        """Refuse."""
        raise self._refuse("invalidate()")

    def begin(self) -> Any:
        """Refuse."""
        raise self._refuse("begin()")

    async def start(self, is_ctxmanager: bool = False) -> AsyncConnection:
        """Refuse what ``async with`` asks for: its end would close it."""
        raise self._refuse("async with")

    def _refuse(self, call: str) -> UsageError:
        return self.guard.refuse(f"{call} on the connection of context.session: {COMMITS}")


class ShownEngine(AsyncEngine):
    """A session's engine as its handler sees it: what it is, and nothing to connect by."""

    def connect(self) -> Any:
        """Refuse."""
        raise _beside("connect()")

    def begin(self) -> Any:
        """Refuse."""
        raise _beside("begin()")

    async def raw_connection(self) -> NoReturn:
        """Refuse."""
        raise _beside("raw_connection()")

    async def dispose(self, close: bool = True) -> NoReturn:
        """Refuse."""
        raise _beside("dispose()")


def _beside(call: str) -> UsageError:
    return UsageError(
        f"{call} on the engine of context.session: what is written beside the session is not committed with the message"
    )
