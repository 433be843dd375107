"""Port: the unit of work around one handler's call, and the outbox that shares its transaction."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any, Protocol

from worker.messaging.parcel import Parcel


class UnitOfWork(Protocol):
    """One handler's transaction; nothing is opened before ``session`` is first used.

    Used once: ``begin``, the handler, then ``commit`` or ``rollback``.
    """

    @property
    def session(self) -> Any:
        """The SQLAlchemy ``AsyncSession``; the first statement opens the transaction."""
        ...

    @property
    def touched(self) -> bool:
        """Whether ``session`` was used."""
        ...

    async def begin(self) -> bool:
        """Get ready; False when the inbox knows that this handler's work on this message is committed.

        Raises:
            DatabaseUnavailable: the inbox was asked and did not answer.
        """
        ...

    async def commit(self, parcels: Sequence[Parcel]) -> bool:
        """Commit the session's writes, the inbox row and an outbox row a parcel, all or nothing.

        Only called when ``touched``. False when the inbox shows that another delivery was first; then
        everything was rolled back and nothing leaves.

        Raises:
            DatabaseUnavailable: it could not be committed.
        """
        ...

    async def rollback(self) -> None:
        """Undo everything; never raises."""
        ...

    def translate(self, error: BaseException) -> BaseException:
        """Say what is behind an error: DatabaseUnavailable where the database did not answer, else the error."""
        ...


class UnitsOfWork(Protocol):
    """Makes units of work."""

    @property
    def storing(self) -> Container[str]:
        """Names of the handlers before which ``begin`` has something to ask; for others it need not be called."""
        ...

    def open(self, message_id: str, handler: str, *, read_only: bool = False) -> UnitOfWork:
        """Make the unit of work of one handler for one message; ``read_only`` for queries."""
        ...
