"""The work of a consumer process, with everything that goes on beside it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

import structlog

from worker.errors import Unavailable
from worker.runtime.heartbeat import beat
from worker.runtime.holding.control import Control
from worker.runtime.options import ConsumeOptions
from worker.runtime.process.readiness import tell_ready
from worker.runtime.taking.watchdog import Watchdog
from worker.runtime.worker import Worker
from worker.wiring.former import Former, moves
from worker.wiring.programs.background import background, tend
from worker.wiring.service import Service

_RELAY_GRACE = 5.0

log = structlog.stdlib.get_logger("worker")


async def work(service: Service, worker: Worker, control: Control, options: ConsumeOptions) -> None:
    """Handle messages until the worker stops, then let go of the queues and send what is left to be sent."""
    observer = service.process.observer
    watchdog = Watchdog(lambda: worker.consumers, asyncio.get_running_loop().time)
    async with (
        background(lambda: tend(service)),
        background(control.run),
        background(lambda: service.fleet.pauses.listen(control.nudge)),
    ):
        # as long as nobody can tell what is paused nothing is consumed, but limits and signals hold
        await _first(control.known.wait(), worker.stopped(), worker.expired())
        log.info(
            "worker started",
            queues=[consumer.spec.name for consumer in worker.consumers],
            concurrency=options.concurrency,
            worker=service.process.name,
        )
        if observer.began is not None:
            observer.began(service.process.name, [one.received[0] for one in worker.consumers])
        tell_ready()
        former = Former(
            service,
            moves(service.process.registry, [(one.transport.name, one.spec) for one in worker.consumers]),
        )
        if options.burst:
            await _first(former.look(), worker.stopped())
        async with (
            background(lambda: beat(control.report)),
            background(watchdog.run),
            background(former.run),
        ):
            await worker.run(options.graceful_timeout, burst=options.burst)
    if worker.breakers is not None:
        await worker.breakers.close()
    for consumer in worker.consumers:
        await consumer.close(1.0)
    if worker.quarantine is not None:
        await worker.quarantine.close()
    await service.sending.relay.drain(_RELAY_GRACE)
    with contextlib.suppress(Unavailable):
        await service.fleet.workers.remove(service.process.name)
    log.info("worker stopped", reason=worker.stopped_by)
    if observer.stopped is not None:
        observer.stopped(service.process.name, worker.stopped_by)


async def _first(*waits: Coroutine[Any, Any, Any]) -> None:
    """Wait until one of several things has happened."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
