"""What goes on beside the work of a program, and ends with it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from worker.errors import Unavailable
from worker.runtime.standby import keep
from worker.wiring.one_file import sharing
from worker.wiring.programs.program import Job
from worker.wiring.service import Service

_PRUNE_EVERY = 600.0
_TELL_EVERY = 600.0

log = structlog.stdlib.get_logger("worker")


@asynccontextmanager
async def background(work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Keep a loop running as long as the block does."""
    task = asyncio.create_task(keep(work))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def tend(service: Service) -> None:
    """Send the outbox and prune old rows, until cancelled."""
    for transport in sharing(service.process.settings, service.sending.senders):
        log.warning(
            "queues and state share a SQLite file: a handler that has written holds up its own queue; "
            "give the queues a file of their own",
            transport=transport,
        )
    async with asyncio.TaskGroup() as group:
        group.create_task(relay(service))
        group.create_task(keep(lambda: _prune(service)))
        group.create_task(keep(lambda: _tell_stranded(service)))


async def relay(service: Service) -> None:
    """Send the outbox, until cancelled; what an application's own transaction leaves there is told, where it can be."""
    sending = service.sending
    async with asyncio.TaskGroup() as group:
        group.create_task(keep(sending.relay.run))
        group.create_task(keep(lambda: sending.outbox.listen(sending.relay.notify)))


class Tended:
    """A job beside which the outbox is sent and old rows are pruned."""

    def __init__(self, service: Service, job: Job) -> None:
        self._service = service
        self._job = job

    def stop(self, reason: str) -> None:
        """Stop the job."""
        self._job.stop(reason)

    async def run(self) -> None:
        """Do the job until it ends."""
        async with background(lambda: tend(self._service)):
            await self._job.run()


async def _prune(service: Service) -> None:
    while True:
        await asyncio.sleep(_PRUNE_EVERY)
        with contextlib.suppress(Unavailable):
            await service.prune()


async def _tell_stranded(service: Service) -> None:
    """Say what waits for a transport that was taken out of the settings: perhaps no process sends it."""
    while True:
        with contextlib.suppress(Unavailable):
            stranded = await service.sending.outbox.stranded(service.process.routes.transports())
            for transport, count in stranded.items():
                log.warning(
                    "messages wait in the outbox for a transport to which nothing is routed here",
                    transport=transport,
                    messages=count,
                )
        await asyncio.sleep(_TELL_EVERY)
