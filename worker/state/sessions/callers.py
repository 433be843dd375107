"""Callers: sessions and connections of an application, each run where it may be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.exc import UnboundExecutionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_scoped_session
from sqlalchemy.orm import Session, scoped_session

from worker.errors import UsageError

T = TypeVar("T")

Runner = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs what may block, outside of the loop."""


class Caller(Protocol):
    """The transaction of an application.

    Attributes:
        session: in which it is; None for a connection's own.
    """

    @property
    def session(self) -> Session | None:
        """See above."""
        ...

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Do something with its connection, inside of it."""
        ...


class AsyncCaller:
    """An ``AsyncSession`` or ``AsyncConnection``; of the loop it is used in."""

    def __init__(self, given: AsyncSession | AsyncConnection) -> None:
        self._given = given
        self.session = given.sync_session if isinstance(given, AsyncSession) else None

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Do it in the session's own way to its driver."""
        if isinstance(self._given, AsyncConnection):
            return await self._given.run_sync(work)
        return await self._given.run_sync(lambda session: work(_connection(session)))


class SyncCaller:
    """A ``Session`` or ``Connection``: its driver blocks.

    Args:
        given: one of the two.
        runner: runs it where it may block.
    """

    def __init__(self, given: Session | Connection, runner: Runner) -> None:
        self._given = given
        self._runner = runner
        self.session = given if isinstance(given, Session) else None

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Do it there."""
        found: T = await self._runner(lambda: work(_connection(self._given)))
        return found


def caller_of(session: object, runner: Runner | None) -> AsyncCaller | SyncCaller:
    """Say how a session is used.

    Args:
        session: what was given as ``session=``.
        runner: runs what may block, where only that may be given; None for a thread, and for code that has a loop.

    Raises:
        UsageError: it is none.
    """
    if isinstance(session, scoped_session | async_scoped_session):
        session = session.registry()
    if isinstance(session, AsyncSession | AsyncConnection):
        if runner is not None:
            raise UsageError(
                f"send(session=…): a sync client takes a Session or a Connection, not an {type(session).__name__}, which "
                "needs the loop that it was made in; use: async with Client(app)"
            )
        return AsyncCaller(session)
    if isinstance(session, Session | Connection):
        return SyncCaller(session, runner or in_thread)
    raise UsageError(
        f"send(session=…): a {type(session).__name__}; expected an AsyncSession, a Session or a connection of SQLAlchemy"
    )


async def in_thread(call: Callable[[], T]) -> T:
    """Run what blocks in a thread; a caller that is cancelled waits for its end: it uses what the canceller may go on with."""
    running = asyncio.get_running_loop().run_in_executor(None, call)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


def _connection(given: Session | Connection) -> Connection:
    if isinstance(given, Connection):
        return given
    try:
        return given.connection()
    except UnboundExecutionError as error:
        raise UsageError(
            "send(session=…): the session has several databases, or none; give the connection of the one where the "
            "state is: session=session.connection(bind_arguments=…)"
        ) from error
