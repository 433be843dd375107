"""The unit of work: a handler's writes, its inbox row and what it sent, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from worker.errors import UsageError
from worker.messaging.parcel import Parcel
from worker.state.database import Database
from worker.state.inbox import Inbox
from worker.state.outbox import keep
from worker.state.transaction import Transaction

if TYPE_CHECKING:
    from worker.state.sessions.handler_session import HandlerSession

_CAUSES = 10


class SqlUnitsOfWork:
    """Makes units of work on the state database.

    Args:
        database: connected.
        inbox: where committed work is noted.
        worker: name under which new outbox rows are claimed: the relay of this process.
        lease: seconds after which another worker's relay may send them.
        committed: told after each commit that left outbox rows.

    Attributes:
        storing: handlers known to use the session.
    """

    def __init__(
        self,
        database: Database,
        inbox: Inbox,
        worker: str = "",
        lease: float = 30.0,
        committed: Callable[[], None] | None = None,
    ) -> None:
        self.database = database
        self.inbox = inbox
        self.worker = worker
        self.lease = lease
        self.committed = committed
        # one entry a handler at most. Only theirs is worth a look into the inbox; a repeat is still caught, by the commit
        self.storing: set[str] = set()

    def open(self, message_id: str, handler: str, *, read_only: bool = False) -> SqlUnitOfWork | ReadWork:
        """Make the unit of work of one handler for one message; ``read_only`` for queries."""
        return ReadWork(self.database) if read_only else SqlUnitOfWork(self, message_id, handler)


class ReadWork:
    """A query's work: its session reads, and is rolled back at the end."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._session: HandlerSession | None = None

    @property
    def session(self) -> HandlerSession:
        """A session that cannot write."""
        if self._session is None:
            self._session = self._database.session(read_only=True)
        return self._session

    @property
    def touched(self) -> bool:
        """Whether ``session`` was used."""
        return self._session is not None

    async def begin(self) -> bool:
        """Nothing to get ready: always True."""
        return True

    async def commit(self, parcels: Sequence[Parcel]) -> bool:
        """Let go of the session.

        Raises:
            UsageError: the query sent something.
        """
        await self.rollback()
        if parcels:
            raise UsageError("a query changes nothing: what it sends cannot leave with its transaction")
        return True

    async def rollback(self) -> None:
        """Let go of the session; never raises."""
        await _undo(self._session)

    def translate(self, error: BaseException) -> BaseException:
        """Say what is behind an error: DatabaseUnavailable where the database did not answer, else the error."""
        return _meant(_behind(error, self._database), self._session)


class SqlUnitOfWork:
    """One handler's transaction; see the port."""

    __slots__ = ("_handler", "_message_id", "_session", "_works")

    def __init__(self, works: SqlUnitsOfWork, message_id: str, handler: str) -> None:
        self._works = works
        self._message_id = message_id
        self._handler = handler
        self._session: HandlerSession | None = None

    @property
    def session(self) -> HandlerSession:
        """The session; its first statement opens the transaction (and waits for the write lock on SQLite)."""
        if self._session is None:
            self._works.storing.add(self._handler)
            self._session = self._works.database.session()
        return self._session

    @property
    def touched(self) -> bool:
        """Whether ``session`` was used."""
        return self._session is not None

    async def begin(self) -> bool:
        """Ask the inbox where the handler is known to use the session; False when its work is committed.

        Raises:
            DatabaseUnavailable: the inbox does not answer.
        """
        if self._handler not in self._works.storing:
            return True
        return not await self._works.inbox.knows(self._message_id, self._handler)

    async def commit(self, parcels: Sequence[Parcel]) -> bool:
        """Commit everything; False when another delivery was first, then nothing is kept and nothing leaves.

        Raises:
            DatabaseUnavailable: it was not committed, or that is not known; the inbox makes a repeat harmless.
        """
        works = self._works
        if self._session is None:
            async with works.database.begin_write() as transaction:
                kept = await self._keep(transaction, parcels)
        else:
            kept = await self._commit(self._session, parcels)
        if kept and parcels and works.committed is not None:
            works.committed()
        return kept

    async def _commit(self, session: HandlerSession, parcels: Sequence[Parcel]) -> bool:
        async with self._works.database.bounded():
            from worker.state.sessions.transaction import SessionTransaction  # loaded with the session

            transaction = SessionTransaction(await session.connection(), self._works.database.application)
            if not await self._keep(transaction, parcels):
                await self.rollback()
                return False
            await session.settle()
        await _undo(session)
        return True

    async def _keep(self, transaction: Transaction, parcels: Sequence[Parcel]) -> bool:
        """Note the work and what it sent; False when another delivery has noted it."""
        works = self._works
        if not await works.inbox.add(transaction, self._message_id, self._handler):
            return False
        now = works.database.time()
        await keep(transaction, self._message_id, parcels, now, works.worker, works.lease)
        return True

    async def rollback(self) -> None:
        """Undo everything; never raises."""
        await _undo(self._session)

    def translate(self, error: BaseException) -> BaseException:
        """Say what is behind an error: DatabaseUnavailable where the database did not answer, else the error."""
        return _meant(_behind(error, self._works.database), self._session)


async def _undo(session: HandlerSession | None) -> None:
    if session is not None:
        await session.let_go()


def _meant(error: BaseException, session: HandlerSession | None) -> BaseException:
    """Name the wrong use of a session that an error follows from: the handler may have caught it, and gone on."""
    misuse = None if session is None else session.misuse
    return misuse if misuse is not None and isinstance(error, Exception) else error


def _behind(error: BaseException, database: Database) -> BaseException:
    """Find an outage among an error's causes: a handler may have wrapped what its session raised."""
    found: BaseException | None = error
    for _ in range(_CAUSES):
        if found is None or not isinstance(error, Exception):
            return error
        # other errors may come from a database of the handler's own: not ours to judge
        lost = database.lost(found)
        if lost is not None:
            return lost
        found = found.__cause__ or found.__context__
    return error
