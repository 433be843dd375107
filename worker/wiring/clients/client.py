"""The client: sends, asks and looks from Python code that has a loop of its own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from worker.application.app import App
from worker.messaging.envelope import Envelope
from worker.messaging.stamps import Stamp
from worker.messaging.status import CommandStatus
from worker.settings import Settings
from worker.wiring.clients.desk import Desk, Facts

if TYPE_CHECKING:  # the types of what an application may give
    from sqlalchemy.engine import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
    from sqlalchemy.orm import Session

    from worker.wiring.clients.sync import SyncClient

M = TypeVar("M")


class Client:
    """Sends an application's messages, from a web application or any other code with a loop.

    ``async with Client(app) as client`` opens it, in a web application around its whole life (its *lifespan*). It is bound
    to the loop that opened it. Messages that are sent at the same time share the broker's batches. What is missing,
    tables and queues, is made when it is opened.

    Args:
        app: the application; all of its declarations must have been made when the client is opened.
        config: the configuration file, or the settings themselves; None for what the command line finds: the file that
            ``WORKER_CONFIG`` names or the current folder holds, and the environment.
    """

    def __init__(self, app: App, config: Settings | str | os.PathLike[str] | None = None) -> None:
        self._desk = Desk(app, config)

    @classmethod
    def sync(cls, app: App, config: Settings | str | os.PathLike[str] | None = None) -> SyncClient:
        """Make the same for code without a loop: as a context, or until the process ends. Nothing is opened yet."""
        from worker.wiring.clients.sync import SyncClient

        return SyncClient(app, config)

    async def __aenter__(self) -> Self:
        """Connect to the database and to every broker that a message is routed to.

        Raises:
            ConfigurationError: settings or declarations are wrong.
            Unavailable: the database or a broker did not answer within ``worker.connect_timeout``.
        """
        await self._desk.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take nothing more, wait until what is under way is confirmed, name what is not, and close everything."""
        await self._desk.close()

    async def send(
        self,
        message: M,
        *stamps: Stamp,
        delay: float | timedelta = 0,
        key: str | None = None,
        id: str | None = None,
        correlation_id: str | None = None,
        session: AsyncSession | AsyncConnection | Session | Connection | None = None,
    ) -> Envelope[M]:
        """Send a command or event; when this returns it is as safe as after a 202 of the intake.

        What is routed ``inline`` has been handled then. An event without subscribers is not sent.

        Args:
            message: of a declared type.
            stamps: travel with it.
            delay: seconds (or ``timedelta``) before which it is not handed out.
            key: ordering key, instead of the message's own.
            id: a UUID; None for a new one. What is sent again under the same id is the same message.
            correlation_id: id of what started it all; None for its own id.
            session: of SQLAlchemy, or a connection, on the state's database: then the message is kept in its transaction,
                and leaves if and only if that commits.

        Raises:
            InvalidMessage: its values do not fit its type; carries every fault.
            UnknownType: its class is not declared.
            UsageError: it is a query, an argument is wrong, or the session is on another database.
            PublishFailed: the broker did not take it; ``unknown`` where it may have, then send it again under ``id``.
            Unavailable: a broker or the database does not answer; it was not sent.
            Exception: what a handler raised, where it is handled at once, or a middleware.
        """
        if session is None:
            return await self._desk.send(message, stamps, delay, key, id, correlation_id)
        facts: Facts = {"delay": delay, "key": key, "id": id, "correlation_id": correlation_id}
        return await self._desk.join(message, stamps, facts, session)

    async def send_many(
        self,
        messages: Iterable[Any],
        *,
        session: AsyncSession | AsyncConnection | Session | Connection | None = None,
    ) -> list[Envelope[Any]]:
        """Send messages; their envelopes, in the same order. Nothing is sent where one of them is not valid.

        With ``session=`` all leave with its commit, as in ``send``.

        Raises:
            InvalidMessage: some do not fit their types; each fault's pointer begins with the message's place, from 0.
            UnknownType: a class is not declared.
            PublishFailed: some were not sent; ``failed`` has their places and what became of each.
        """
        return await self._desk.send_many(list(messages), session)

    async def ask(self, query: Any) -> Any:
        """Ask a query and return what its handler does; it runs here, at once.

        Raises:
            InvalidMessage: its values do not fit its type.
            UnknownType: its class is not declared.
            UsageError: it is no query.
            Exception: what the handler raised.
        """
        return await self._desk.ask(query)

    async def status(self, id: str, wait: float | timedelta = 0) -> CommandStatus:
        """Tell where a command stands: at once, or when it is done or failed, after ``wait`` seconds at the latest.

        Raises:
            NotFound: no command of this id is known.
            UsageError: ``wait`` is no number of seconds.
            DatabaseUnavailable: the database does not answer.
        """
        return await self._desk.status(id, wait)
