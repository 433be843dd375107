"""PostgreSQL's connection of a handler's session: a transaction that was ended by hand is noticed at its commit."""

from __future__ import annotations

from typing import Any

import asyncpg

from worker.errors import UsageError
from worker.state.postgresql_connection import Connection
from worker.state.sessions.guard import ENDED, wrong

_MARK = " SET LOCAL worker.unit = '1';"
"""Goes with the transaction, in the same message to the server as its beginning."""
_COMMIT = "SELECT current_setting('worker.unit')::int; COMMIT;"
"""Commits where the mark is there: an empty one is no number, and after a failure nothing else is done."""


class HeldPostgresql(Connection):
    """A connection that marks its transaction, and commits only where the mark has stayed."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._held = False
        self._approved = False

    def begun(self) -> None:
        """Nothing to note: the mark is set with the beginning."""

    def watch(self) -> None:
        """Nothing to watch for: handlers have a pool of their own, and keep no other work waiting."""

    def approve(self) -> None:
        """Let the next commit happen."""
        self._approved = True

    def check(self) -> None:
        """Refuse to go on without the transaction: each statement would be kept at once.

        Raises:
            UsageError: it was ended.
        """
        if self._held and not self.is_in_transaction():
            raise UsageError(ENDED)

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:
        """Run statements; those by which the driver begins and ends a transaction set the mark and ask for it.

        Raises:
            UsageError: they would end the transaction, or it was ended.
        """
        if args:
            return await self._run(query, *args, timeout=timeout)
        if query == "COMMIT;" and self._approved:
            return await self._commit(timeout)
        if query == "ROLLBACK;":
            self._held = self._approved = False
        elif query.startswith("BEGIN") and query.endswith(";") and not self._held:
            self._approved = False
            told = await self._run(query + _MARK, timeout=timeout)
            self._held = True
            return told
        elif self._held and (refused := wrong(query)) is not None:
            raise UsageError(refused)
        return await self._run(query, timeout=timeout)

    async def _commit(self, timeout: float | None) -> str:
        self._held = self._approved = False
        if not self.is_in_transaction():
            raise UsageError(ENDED)
        try:
            return await self._run(_COMMIT, timeout=timeout)
        except asyncpg.InvalidTextRepresentationError as error:
            await self._run("ROLLBACK", timeout=timeout)
            raise UsageError(ENDED) from error

    async def _run(self, query: str, *args: Any, timeout: float | None = None) -> str:
        told: str = await super().execute(query, *args, timeout=timeout)
        return told
