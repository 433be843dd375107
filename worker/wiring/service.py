"""A service: one process's settings, application, database, transports and buses, opened together."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import structlog

from worker.errors import ConfigurationError, TransportUnavailable, Unavailable
from worker.failed.service import FailedService
from worker.messaging.declaration import Registry
from worker.messaging.gate import Gate
from worker.messaging.identity import Clock
from worker.messaging.retry import Retry
from worker.messaging.routing import Routes, plan
from worker.messaging.sender import Sender
from worker.messaging.serializer import Serializer
from worker.messaging.solitude import Solitude
from worker.messaging.transport import MadeByConnecting, Outcome, Outgoing, Transport
from worker.runtime.life import lives, myself
from worker.runtime.relay import Relay
from worker.runtime.solitude import OneAtATime
from worker.runtime.threads import Threads
from worker.settings import Settings
from worker.state.database import Database
from worker.state.exclusive import SqlExclusive
from worker.state.failures import SqlFailures
from worker.state.idempotency import SqlIdempotency
from worker.state.inbox import Inbox
from worker.state.outbox import Outbox
from worker.state.pauses import SqlPauses
from worker.state.status_reader import StatusReader
from worker.state.status_writer import StatusWriter
from worker.state.suspects import SqlSuspects
from worker.state.unit_of_work import SqlUnitsOfWork
from worker.state.waits import Waits
from worker.state.workers import Heartbeat, Workers
from worker.wiring.builtin import with_commands
from worker.wiring.buses import Buses, make_buses
from worker.wiring.connecting import (
    connected_ones,
    create_queues,
    make_transports,
    missing_queues,
)
from worker.wiring.pausing import LIVE, Pausing
from worker.wiring.refusals import refusals
from worker.wiring.standing import Standing

NO_FILE = "there is no such file yet"
"""Why a transport is absent that is a file, where nothing may be made."""

_INBOX_KEEP = 7 * 86_400.0
_WORKERS_KEEP = 3600.0

log = structlog.stdlib.get_logger("worker.service")
_REPLAY_PATIENCE = 86_400.0
"""Seconds after which a replayed message that nobody has handled is shown as failed again."""


@dataclass(slots=True)
class Service:
    """All parts of a running process; made by ``opened``. ``absent`` says why a transport is not there."""

    settings: Settings
    registry: Registry
    routes: Routes
    database: Database
    transports: dict[str, Transport]
    senders: dict[str, Sender]
    serializer: Serializer
    failures: SqlFailures
    status_writer: StatusWriter
    status: Standing
    statuses: StatusReader
    outbox: Outbox
    relay: Relay
    workers: Workers
    suspects: SqlSuspects
    failed: FailedService
    buses: Buses
    policy: Retry
    clock: Clock
    name: str
    started_at: float
    inbox: Inbox
    idempotency: SqlIdempotency
    absent: dict[str, str]
    gate: Gate
    solitude: Solitude
    pauses: SqlPauses
    pausing: Pausing
    threads: Threads

    async def beat(
        self,
        types: tuple[str, ...],
        applied_version: int = 0,
        troubles: tuple[str, ...] = (),
        quiet_version: int = 0,
    ) -> None:
        """Tell the fleet that this process lives, what it takes, which pauses it has applied, and what is wrong.

        ``quiet_version`` is that as of which no command has been running here.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        beat = Heartbeat(
            id=self.name,
            host=socket.gethostname(),
            pid=os.getpid(),
            started_at=self.started_at,
            applied_version=applied_version,
            types=types,
            troubles=troubles,
            quiet_version=quiet_version,
        )
        await self.workers.beat(beat)

    async def prune(self) -> None:
        """Forget what nobody needs any more.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        keep = self.settings.status.keep
        await self.statuses.prune(keep)
        await self.inbox.prune(max(keep, _INBOX_KEEP))
        await self.failures.prune(max(keep, _INBOX_KEEP))
        await self.failures.resurface(_REPLAY_PATIENCE)
        await self.idempotency.prune()
        await self.workers.prune(_WORKERS_KEEP)
        await self.suspects.prune(_INBOX_KEEP)


def process_name() -> str:
    """Name of this process among all workers: host, process id and a random part."""
    return f"{socket.gethostname()}-{os.getpid()}-{random.getrandbits(32):08x}"


def routes_of(settings: Settings, registry: Registry) -> Routes:
    """Route the application's messages by the settings.

    Raises:
        ConfigurationError: a type without route, or routed to what is not configured.
    """
    return plan(registry, settings.routing, list(settings.transports), settings.events.mode)


Tables = Literal["create", "require", "ignore"]
"""What is done about missing tables and files: they are made; that is an error; or nothing, for what only looks."""


@asynccontextmanager
async def opened(
    settings: Settings,
    registry: Registry,
    *,
    tables: Tables = "create",
    writes: bool = False,
    queues: bool = True,
    transports: Collection[str] | None = None,
    absent: bool = False,
    threads: int | None = None,
    clock: Clock = time.time,
    sent: Callable[[Outgoing], None] | None = None,
    name: str | None = None,
    solitude: Solitude | None = None,
) -> AsyncIterator[Service]:
    """Open everything that a process needs, and close it in the reverse order.

    Args:
        settings: checked.
        registry: checked.
        tables: what is done about missing tables; without ``create`` no file is made either.
        writes: whether a database that takes no writes is an error at once.
        queues: whether missing queues are made too, or complained about where tables are not created.
        transports: names of those to connect to; None connects to all that messages are routed to.
        absent: go on without transports that do not answer; else that is an error.
        threads: for handlers that are plain functions.
        clock: seconds since the epoch.
        sent: told about each message that a broker confirmed.
        name: of this process among all workers; None for a new one.
        solitude: lets a message run alone in the fleet; None for what takes the lock in the database.

    Raises:
        ConfigurationError: something is missing and not created, or may not be created.
        Unavailable: database or broker did not answer within the connect timeout, or the database is read-only.
    """
    create = tables == "create"
    routes = routes_of(settings, registry)
    name = name or process_name()
    timeout = settings.worker.connect_timeout
    async with AsyncExitStack() as stack:
        waits = Waits(statement=settings.database.statement_timeout)
        database = Database(
            settings.database.url,
            base=settings.base,
            clock=clock,
            waits=waits,
            application=registry.application,
        )
        stack.push_async_callback(database.close)
        await database.connect(timeout, create=create)
        if writes and database.there:
            await database.prove_writable()
        await _prepare_database(database, tables)
        if tables != "ignore":  # the time is kept in a table
            await database.now(writes=False)
        made = make_transports(settings, routes, clock)
        wanted = {key: made[key] for key in made if transports is None or key in transports}
        unmade = [] if create else [key for key, transport in wanted.items() if _unmade(transport)]
        if unmade and not absent:
            raise ConfigurationError(f"missing: the file of transport {', '.join(unmade)}; run: worker setup")
        for key in unmade:
            del wanted[key]
        connected, missed = await connected_ones(wanted, stack, timeout, absent=absent)
        missed |= dict.fromkeys(unmade, NO_FILE)
        if queues:
            await _prepare_queues(connected, routes, setup=create)
        outbox = Outbox(database)
        senders = {key: Sender(transport, sent=sent, schedule=outbox) for key, transport in connected.items()}
        serializer = Serializer(registry)
        failures = SqlFailures(database)
        relay = Relay(outbox, senders, name, refusals(failures, name, clock))
        inbox = Inbox(database)
        works = SqlUnitsOfWork(database, inbox, name, committed=relay.notify)
        writer = StatusWriter(database, name)
        reader = StatusReader(database, writer)
        handler_threads = Threads(threads or settings.worker.concurrency)
        stack.callback(handler_threads.close)
        gate = Gate()
        workers, pauses = Workers(database), SqlPauses(database)
        pausing = Pausing(registry, routes, pauses, workers, database.time)
        solitude = solitude or OneAtATime(SqlExclusive(database), pausing.busy, gate, name)
        buses = make_buses(
            *with_commands(registry, routes, pausing.commands()),
            senders,
            serializer,
            works=works,
            status=writer if settings.status.track else None,
            threads=handler_threads,
            clock=clock,
            gate=gate,
            solitude=solitude,
            ignore_events=settings.events.mode == "ignore",
        )

        async def finished(type_name: str, message_id: str) -> bool:
            """Whether the inbox has the work of every handler on the message."""
            handlers = registry.handlers.get(type_name, ())
            return bool(handlers) and all([await inbox.knows(message_id, one.name) for one in handlers])

        async def alive(worker: str) -> bool:
            """Whether a worker of this name has shown itself lately."""
            return worker == name or any(one.id == worker for one in await workers.live(LIVE))

        async def publish(transport: str, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
            """Publish to the transport of that name."""
            sender = senders.get(transport)
            if sender is None:
                raise TransportUnavailable(
                    f"transport {transport!r} is not configured here, or does not answer"
                )
            return await sender.publish(batch)

        service = Service(
            settings=settings,
            registry=registry,
            routes=routes,
            database=database,
            transports=connected,
            senders=senders,
            serializer=serializer,
            failures=failures,
            status_writer=writer,
            status=Standing(
                reader,
                writer,
                connected,
                failures,
                clock,
                pausing.is_paused,
                finished,
                alive,
                outbox.holds,
            ),
            statuses=reader,
            outbox=outbox,
            relay=relay,
            workers=workers,
            suspects=SqlSuspects(database, myself(name), lives),
            failed=FailedService(
                failures,
                publish,
                registry,
                serializer,
                writer,
                transports=settings.transports,
                queues={spec.name for specs in routes.queues.values() for spec in specs},
                clock=clock,
            ),
            buses=buses,
            policy=retry_policy(settings),
            clock=clock,
            name=name,
            started_at=clock(),
            inbox=inbox,
            idempotency=SqlIdempotency(database),
            absent=missed,
            gate=gate,
            solitude=solitude,
            pauses=pauses,
            pausing=pausing,
            threads=handler_threads,
        )
        writing = asyncio.create_task(writer.run())
        stack.push_async_callback(_finish_status, writer, writing)
        yield service


def retry_policy(settings: Settings) -> Retry:
    """Make the default retry policy."""
    given = settings.retry
    return Retry(given.max_retries, given.delay, given.multiplier, given.max_delay, given.jitter)


def _unmade(transport: object) -> bool:
    return isinstance(transport, MadeByConnecting) and not transport.there()


async def _prepare_database(database: Database, tables: Tables) -> None:
    if tables == "create":
        await database.setup()
    if tables != "require":
        return
    missing = await database.missing()
    if missing:
        raise ConfigurationError(
            f"missing in database {database.shown}: {', '.join(missing)}; run: worker setup"
        )


async def _prepare_queues(transports: Mapping[str, Transport], routes: Routes, *, setup: bool) -> None:
    if setup:
        await create_queues(transports, routes)
        return
    missing = await missing_queues(transports, routes)
    if missing:
        raise ConfigurationError(f"missing: {', '.join(missing)}; run: worker setup")


async def _finish_status(writer: StatusWriter, writing: asyncio.Task[None]) -> None:
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    try:
        async with asyncio.timeout(5.0):
            await writer.flush()
    except (TimeoutError, Unavailable):
        return
