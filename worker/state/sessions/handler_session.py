"""The session that a handler gets: an ``AsyncSession`` whose end is decided by the unit of work."""

from __future__ import annotations

from typing import Any, NoReturn

from sqlalchemy.ext.asyncio import AsyncSession

from worker.errors import UsageError


class HandlerSession(AsyncSession):
    """An ``AsyncSession`` that a handler reads and writes with, but neither commits nor rolls back.

    A commit by hand would part the handler's writes from its inbox row and its events. ``begin_nested`` gives
    a savepoint.
    """

    async def commit(self) -> NoReturn:
        """Refuse.

        Raises:
            UsageError: always.
        """
        raise UsageError("context.session commits when the handler returns; do not commit it by hand")

    async def rollback(self) -> NoReturn:
        """Refuse.

        Raises:
            UsageError: always.
        """
        raise UsageError("context.session is rolled back when the handler raises; raise an error instead")

    def begin(self) -> Any:
        """Refuse.

        Raises:
            UsageError: always.
        """
        raise UsageError("context.session begins by itself; use begin_nested() for a savepoint")

    async def settle(self) -> None:
        """Commit: for the unit of work."""
        await super().commit()

    async def undo(self) -> None:
        """Roll back and let go of the connection: for the unit of work."""
        await super().close()
