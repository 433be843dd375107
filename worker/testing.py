"""For applications' tests: the whole service in memory, with a clock that tests move."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from worker.application.app import App
from worker.errors import NotFound
from worker.failed.documents import FailedDocument
from worker.http.app import create_app
from worker.messaging.bus import Bus
from worker.messaging.declaration import Registry
from worker.messaging.envelope import Envelope
from worker.messaging.observing import Ended, Observer
from worker.messaging.own_context import OwnContext
from worker.messaging.routing import INLINE
from worker.messaging.sendable import check_fits
from worker.messaging.stamps import Delay, Result, Stamp
from worker.messaging.transport import Outcome, Outgoing
from worker.runtime.options import ConsumeOptions
from worker.settings import DatabaseSettings, EventsSettings, Settings, TransportSettings
from worker.wiring.consuming import make_consumers
from worker.wiring.service import Service, opened
from worker.wiring.serving.ports import intake_ports

ASGI = Callable[..., Awaitable[None]]
"""An ASGI application."""


class Clock:
    """Seconds since the epoch, moved by hand."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start

    def __call__(self) -> float:
        """What time it is."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass: delays and leases run out.

        Raises:
            ValueError: time does not go back.
        """
        if seconds < 0:
            raise ValueError(f"advance({seconds}): expected seconds, 0 or more")
        self._now += seconds


class TestWorker:
    """An application's service in memory: real buses, chains, retries and database, no broker.

    ``async with TestWorker(app) as worker`` opens it; every message is encoded and decoded on its way. The
    database is a temporary SQLite file. Nothing runs before ``run_until_idle``.

    Args:
        app: the application.
        events: ``queue``, ``inline`` or ``ignore``, as in the configuration.
        deliver_on_error: whether what a handler recorded before it failed leaves, as in the configuration.
        concurrency: handlers that run at once.
    """

    __test__ = False

    def __init__(
        self,
        app: App,
        *,
        events: Literal["queue", "inline", "ignore"] = "queue",
        deliver_on_error: bool = False,
        concurrency: int = 1,
    ) -> None:
        self.clock = Clock()
        self._registry = app.registry()
        self._concurrency = concurrency
        self._settings = Settings(
            database=DatabaseSettings(url="sqlite://"),
            transports={name: TransportSettings(url="memory://") for name in _transports(self._registry)},
            routing={"*": "memory"},
            events=EventsSettings(mode=events, deliver_on_error=deliver_on_error),
            base=Path.cwd(),
        )
        self._stack = AsyncExitStack()
        self._service: Service | None = None
        self._asgi: ASGI | None = None
        self._sent: list[Outgoing] = []
        self._failed: list[FailedDocument] = []
        self._handled: list[Envelope[Any]] = []
        self._fired_until = self.clock()

    async def __aenter__(self) -> Self:
        """Open the service."""
        observer = Observer(sent=self._note_sent, ended=self._note_ended)
        self._service = await self._stack.enter_async_context(
            opened(self._settings, self._registry, clock=self.clock, observers=(observer,))
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it; what was not handled is forgotten."""
        await self._stack.aclose()

    @property
    def asgi(self) -> ASGI:
        """What an intake answers with over HTTP, as an ASGI application: resources, commands and queries.

        For a client in memory on the test's own loop, such as ``httpx.AsyncClient(transport=httpx.ASGITransport(worker.asgi),
        base_url="http://localhost")``.
        """
        if self._asgi is None:
            ports = intake_ports(self._open(), "127.0.0.1", (), asyncio.Event())
            self._asgi = create_app(ports)
        return self._asgi

    async def send(
        self, message: Any, *stamps: Stamp, delay: float | timedelta = 0.0, **facts: Any
    ) -> Envelope[Any]:
        """Dispatch a command or event as an intake would, ``delay`` ahead (seconds or ``timedelta``); returns its envelope.

        Raises:
            UnknownType: it is no declared command or event.
            UsageError: its values do not fit its type, or the delay is neither.
        """
        declared = self._registry.by_class.get(type(message))
        kind = "event" if declared is not None and declared.kind == "event" else "command"
        if declared is not None:
            check_fits("send", declared, message)
        ahead = Delay(delay)  # type: ignore[arg-type]  # it reads a timedelta too
        given = (*stamps, ahead) if ahead.seconds else stamps
        return await OwnContext(self._bus(kind).dispatch(message, *given, **facts))

    async def query(self, message: Any) -> Any:
        """Ask a query and return the handler's answer.

        Raises:
            UnknownType: it is no declared query.
            UsageError: its values do not fit its type.
            Exception: what the handler raised.
        """
        declared = self._registry.by_class.get(type(message))
        if declared is not None:
            check_fits("query", declared, message)
        answer = (await OwnContext(self._bus("query").dispatch(message))).get(Result)
        return answer.value if answer else None

    async def run_until_idle(self) -> None:
        """Handle everything that is due, and what follows from it; delayed messages wait for the clock.

        First each schedule is fired for every tick since the last time, as if a scheduler had been there: move the clock
        over days, and all of them have come. What is sent then is handled now.
        """
        service = self._open()
        since, self._fired_until = self._fired_until, self.clock()
        await service.schedules.pass_time(since, self._fired_until)
        if not service.process.routes.queues:  # queries and what is handled inline wait in no queue
            return
        options = ConsumeOptions(concurrency=self._concurrency, burst=True, graceful_timeout=5.0)
        consumers = make_consumers(service, options)
        worker, control = consumers.worker, consumers.control
        await control.look()
        relaying = asyncio.create_task(service.sending.relay.run())
        controlling = asyncio.create_task(control.run())
        try:
            await worker.run(options.graceful_timeout, burst=True)
        finally:
            for beside in (relaying, controlling):
                beside.cancel()
            await asyncio.gather(relaying, controlling, return_exceptions=True)
            await consumers.close()
            await service.status.writer.flush()
        await self._look()

    def sent(self, kind: type[Any]) -> list[Any]:
        """Messages of a type that were sent to their queue, in order."""
        read = [self._open().sending.serializer.decode(outgoing.body) for outgoing in self._sent]
        return [
            found.message for found in read if isinstance(found, Envelope) and type(found.message) is kind
        ]

    def handled(self, kind: type[Any]) -> list[Any]:
        """Messages of a type whose handlers are all done, in order."""
        return [envelope.message for envelope in self._handled if type(envelope.message) is kind]

    def failed(self) -> list[FailedDocument]:
        """Messages in the failure store after the last run, newest first."""
        return list(self._failed)

    async def status(self, message_id: str) -> Any:
        """Where a command stands.

        Raises:
            NotFound: no command of this id is known.
        """
        found = await self._open().status.standing.get(message_id)
        if found is None:
            raise NotFound(f"no command {message_id}")
        return found

    async def retry(self, message_id: str) -> None:
        """Put a failed message back to its queue."""
        await self._open().failed.retry([message_id])
        await self._look()

    async def _look(self) -> None:
        failed: list[FailedDocument] = []
        after: str | None = None
        while True:
            page = await self._open().failed.list(after=after)
            failed += page.items
            after = page.next
            if after is None:
                break
        self._failed = failed

    def _note_sent(self, _: str, batch: Sequence[Outgoing], outcomes: Sequence[Outcome]) -> None:
        self._sent += [one for one, outcome in zip(batch, outcomes, strict=True) if outcome.accepted]

    def _note_ended(self, ended: Ended) -> None:
        if ended.outcome == "done" and ended.envelope is not None:
            self._handled.append(ended.envelope)

    def _bus(self, kind: Any) -> Bus:
        return self._open().buses.dispatch[kind]

    def _open(self) -> Service:
        if self._service is None:
            raise RuntimeError("use it as: async with TestWorker(app) as worker")
        return self._service


def _transports(registry: Registry) -> list[str]:
    """Names of the transports that declarations ask for, all in memory here, after the one for the rest."""
    asked = [message.transport for message in registry.messages.values() if message.transport is not None]
    return list(dict.fromkeys(["memory", *(name for name in asked if name != INLINE)]))
