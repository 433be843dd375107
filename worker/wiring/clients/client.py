"""The client: sends, asks and looks from Python code that has a loop of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypedDict, TypeVar

import structlog

from worker.application.app import App
from worker.errors import NotFound, UsageError
from worker.messaging.envelope import Envelope
from worker.messaging.identity import is_id
from worker.messaging.limits import key_for
from worker.messaging.own_context import OwnContext
from worker.messaging.stamps import Result, Stamp
from worker.messaging.status import CommandStatus
from worker.messaging.waiting import until_over
from worker.seconds import seconds_of
from worker.settings import Settings
from worker.wiring.clients.entrance import Entrance, Ready, checked
from worker.wiring.clients.joined import Runner, joined
from worker.wiring.clients.many import all_sent, each
from worker.wiring.clients.settings import settings_of
from worker.wiring.clients.under_way import UnderWay
from worker.wiring.plugins import registry_of
from worker.wiring.programs.background import background, relay
from worker.wiring.service import Service, opened

if TYPE_CHECKING:  # the types of what an application may give
    from sqlalchemy.engine import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
    from sqlalchemy.orm import Session

    from worker.wiring.clients.sync import SyncClient

M = TypeVar("M")


class Facts(TypedDict):
    """What may be said about how a message is sent."""

    delay: float | timedelta
    key: str | None
    id: str | None
    correlation_id: str | None


AT_ONCE = 1000
"""Messages of ``send_many`` that are under way at once."""

_RELAY_GRACE = 5.0

log = structlog.stdlib.get_logger("worker.client")


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
        given: object = app
        if not isinstance(given, App):
            raise UsageError(f"Client({type(given).__name__}): expected an App")
        self._app = app
        self._config = config
        self._stack: AsyncExitStack | None = None
        self._service: Service | None = None
        self._entrance: Entrance | None = None
        self._under_way = UnderWay()

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
        if self._stack is not None:
            raise UsageError("this client is open already; make one for each use of: async with Client(app)")
        settings = settings_of(self._config)
        registry = registry_of(self._app, settings)
        async with AsyncExitStack() as stack:
            self._under_way = UnderWay()
            service = await stack.enter_async_context(opened(settings, registry))
            await stack.enter_async_context(background(lambda: relay(service)))
            self._service, self._entrance = service, Entrance(service)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take nothing more, wait until what is under way is confirmed, name what is not, and close everything."""
        stack, service, self._stack, self._entrance = self._stack, self._service, None, None
        if stack is None or service is None:
            return
        try:
            await self._under_way.ended(service.process.settings.worker.graceful_timeout)
            await service.sending.relay.drain(_RELAY_GRACE)
        finally:
            self._service = None
            await stack.aclose()

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
        if session is not None:
            facts: Facts = {"delay": delay, "key": key, "id": id, "correlation_id": correlation_id}
            return await self._join(message, stamps, facts, session)
        entrance = self._entrance or self._not_open()
        door = entrance.door(message)
        if delay or id is not None or key is not None or stamps:
            stamps = checked(door, stamps, delay, key, id)
        declared = door.declared
        if key is None and declared.key is not None:
            key = key_for(declared, message, key)
        id = entrance.new_id() if id is None else id.lower()
        self._under_way.begin(id, declared.name)
        try:
            return await door.bus.dispatch(message, *stamps, id=id, correlation_id=correlation_id, key=key)
        finally:
            self._under_way.end(id)

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
        return await self._dispatch_many(list(messages), session)

    async def ask(self, query: Any) -> Any:
        """Ask a query and return what its handler does; it runs here, at once.

        Raises:
            InvalidMessage: its values do not fit its type.
            UnknownType: its class is not declared.
            UsageError: it is no query.
            Exception: what the handler raised.
        """
        entrance = self._entrance or self._not_open()
        door = entrance.door(query, "ask")
        answer = (await OwnContext(door.bus.dispatch(query))).get(Result)
        return answer.value if answer else None

    async def status(self, id: str, wait: float | timedelta = 0) -> CommandStatus:
        """Tell where a command stands: at once, or when it is done or failed, after ``wait`` seconds at the latest.

        Raises:
            NotFound: no command of this id is known.
            UsageError: ``wait`` is no number of seconds.
            DatabaseUnavailable: the database does not answer.
        """
        service = self._opened()
        try:
            seconds = seconds_of(wait)
        except ValueError as error:
            raise UsageError(f"status(wait={error})") from None
        given: object = id
        if not isinstance(given, str) or not is_id(given):
            raise NotFound(f"no command {id!r:.64}: its id would be a UUID")
        found = await until_over(service.status.standing, id.lower(), seconds)
        if found is None:
            raise NotFound(f"no command {id} is known")
        return found

    async def _join(
        self,
        message: M,
        stamps: tuple[Stamp, ...],
        facts: Facts,
        session: object,
        runner: Runner | None = None,
    ) -> Envelope[M]:
        entrance = self._entrance or self._not_open()
        ready = entrance.ready(entrance.door(message), message, stamps, **facts)
        return (await joined(self._opened(), session, [ready], runner))[0]

    async def _dispatch_many(
        self, messages: Sequence[Any], session: object, runner: Runner | None = None
    ) -> list[Envelope[Any]]:
        entrance = self._entrance or self._not_open()
        ready = each(messages, lambda one: entrance.ready(entrance.door(one), one))
        if session is not None:
            return await joined(self._opened(), session, ready, runner)
        outcomes: list[Envelope[Any] | BaseException] = []
        for start in range(0, len(ready), AT_ONCE):
            sends = [self._dispatch(one) for one in ready[start : start + AT_ONCE]]
            outcomes += await asyncio.gather(*sends, return_exceptions=True)
        return all_sent(outcomes)

    async def _dispatch(self, ready: Ready) -> Envelope[Any]:
        under_way = self._under_way
        under_way.begin(ready.id, ready.door.declared.name)
        try:
            return await ready.dispatch()
        finally:
            under_way.end(ready.id)

    def _opened(self) -> Service:
        return self._service or self._not_open()

    def _not_open(self) -> NoReturn:
        raise UsageError("this client is not open; use it as: async with Client(app) as client")
