"""The desk: where both clients send, ask and look, while it is open."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, NoReturn, TypedDict, TypeVar

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


class Desk:
    """Opened and closed on one loop, and called on it. What the clients say of their arguments holds for these.

    Args:
        app: the application.
        config: as in ``Client``.

    Raises:
        UsageError: it is no application.
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

    @property
    def service(self) -> Service:
        """The parts; there until everything under way is confirmed.

        Raises:
            UsageError: it is not open.
        """
        return self._service or self._not_open()

    async def open(self) -> None:
        """Connect to the database and to every broker that a message is routed to."""
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

    async def close(self) -> None:
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
        stamps: tuple[Stamp, ...],
        delay: float | timedelta,
        key: str | None,
        id: str | None,
        correlation_id: str | None,
    ) -> Envelope[M]:
        """Send a message."""
        entrance = self._entrance or self._not_open()
        door = entrance.door(message)
        if delay or stamps or id is not None or key is not None or correlation_id is not None:
            stamps = checked(door, stamps, delay, key, id, correlation_id)
        declared = door.declared
        if key is None and declared.key is not None:
            key = key_for(declared, message, key)
        id = entrance.new_id() if id is None else id.lower()
        self._under_way.begin(id, declared.name)
        try:
            return await door.bus.dispatch(message, *stamps, id=id, correlation_id=correlation_id, key=key)
        finally:
            self._under_way.end(id)

    async def join(
        self,
        message: M,
        stamps: tuple[Stamp, ...],
        facts: Facts,
        session: object,
        runner: Runner | None = None,
    ) -> Envelope[M]:
        """Keep a message in a transaction of the application; ``runner`` runs what blocks, None for a thread."""
        entrance = self._entrance or self._not_open()
        ready = entrance.ready(entrance.door(message), message, stamps, **facts)
        return (await joined(self.service, session, [ready], runner))[0]

    async def send_many(
        self, messages: Sequence[Any], session: object, runner: Runner | None = None
    ) -> list[Envelope[Any]]:
        """Send messages, or keep them in a transaction, as ``join`` does."""
        entrance = self._entrance or self._not_open()
        ready = each(messages, lambda one: entrance.ready(entrance.door(one), one))
        if session is not None:
            return await joined(self.service, session, ready, runner)
        outcomes: list[Envelope[Any] | BaseException] = []
        for start in range(0, len(ready), AT_ONCE):
            sends = [self._dispatch(one) for one in ready[start : start + AT_ONCE]]
            outcomes += await asyncio.gather(*sends, return_exceptions=True)
        return all_sent(outcomes)

    async def ask(self, query: Any) -> Any:
        """Ask a query and return what its handler does."""
        entrance = self._entrance or self._not_open()
        door = entrance.door(query, "ask")
        answer = (await OwnContext(door.bus.dispatch(query))).get(Result)
        return answer.value if answer else None

    async def status(self, id: str, wait: float | timedelta) -> CommandStatus:
        """Tell where a command stands."""
        service = self.service
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

    async def _dispatch(self, ready: Ready) -> Envelope[Any]:
        under_way = self._under_way
        under_way.begin(ready.id, ready.door.declared.name)
        try:
            return await ready.dispatch()
        finally:
            under_way.end(ready.id)

    def _not_open(self) -> NoReturn:
        raise UsageError("this client is not open; use it as: async with Client(app) as client")
