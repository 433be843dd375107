"""The work of a consumer process, with everything that goes on beside it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

from worker.errors import Unavailable
from worker.runtime.heartbeat import beat
from worker.runtime.options import ConsumeOptions
from worker.runtime.process.readiness import tell_ready
from worker.runtime.taking.watchdog import Watchdog
from worker.wiring.consuming import Consumers
from worker.wiring.former import Former, moves
from worker.wiring.programs.background import background, tend
from worker.wiring.service import Service

_RELAY_GRACE = 5.0

log = structlog.stdlib.get_logger("worker")


class Working:
    """Handles messages until the worker stops, then lets go of the queues and sends what is left to be sent.

    Args:
        service: opened.
        consumers: made from it.
        options: the same that the consumers were made with.
    """

    def __init__(self, service: Service, consumers: Consumers, options: ConsumeOptions) -> None:
        self._service = service
        self._consumers = consumers
        self._options = options

    def stop(self, reason: str) -> None:
        """Take nothing new, finish what runs. Idempotent."""
        self._consumers.worker.stop(reason)

    async def run(self) -> None:
        """Work until stopped, or until a limit is reached."""
        service, worker, control = self._service, self._consumers.worker, self._consumers.control
        async with self._probes():
            async with (
                background(lambda: tend(service)),
                background(control.run),
                background(lambda: service.fleet.pauses.listen(control.nudge)),
            ):
                # as long as it is not known what is paused nothing is consumed, but limits and signals hold
                await _first(control.known.wait(), worker.stopped(), worker.expired())
                await self._work()
            await self._consumers.close()
            await service.sending.relay.drain(_RELAY_GRACE)
            with contextlib.suppress(Unavailable):
                await service.fleet.workers.remove(service.process.name)
            log.info("worker stopped", reason=worker.stopped_by)
            if service.process.observer.stopped is not None:
                service.process.observer.stopped(service.process.name, worker.stopped_by)

    async def _work(self) -> None:
        options, worker, control = self._options, self._consumers.worker, self._consumers.control
        log.info(
            "worker started",
            queues=[consumer.spec.name for consumer in worker.consumers],
            concurrency=options.concurrency,
            worker=self._service.process.name,
        )
        observer, name = self._service.process.observer, self._service.process.name
        if observer.began is not None:
            observer.began(name, [one.received[0] for one in worker.consumers])
        tell_ready()
        queues = [(one.transport.name, one.spec) for one in worker.consumers]
        former = Former(self._service, moves(self._service.process.registry, queues))
        if options.burst:
            await _first(former.look(), worker.stopped())
        watchdog = Watchdog(lambda: worker.consumers, asyncio.get_running_loop().time)
        async with (
            background(lambda: beat(control.report)),
            background(watchdog.run),
            background(former.run),
        ):
            await worker.run(options.graceful_timeout, burst=options.burst)

    @asynccontextmanager
    async def _probes(self) -> AsyncIterator[None]:
        if self._options.health_port is None:
            yield
            return
        # brings an HTTP server, which a worker without probes does not need
        from worker.wiring.serving.probes import Probes

        async with background(Probes(self._service, self._consumers, self._options.health_port).run):
            yield


async def _first(*waits: Coroutine[Any, Any, Any]) -> None:
    """Wait until one of several things has happened."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
