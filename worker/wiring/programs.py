"""The programs: consume, serve, and both in one process; each runs until stopped and gives an exit code."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog

from worker.errors import Unavailable
from worker.messaging.declaration import Registry
from worker.runtime.control import Control
from worker.runtime.heartbeat import beat
from worker.runtime.options import ConsumeOptions, ServeOptions
from worker.runtime.signals import stop_signals
from worker.runtime.standby import keep, outlive
from worker.runtime.supervisor import Supervisor, command_line
from worker.runtime.watchdog import Watchdog
from worker.runtime.worker import Worker
from worker.settings import Settings
from worker.wiring.consuming import choose, make_control, make_worker
from worker.wiring.intake import Intake
from worker.wiring.probes import Probes
from worker.wiring.service import HANDLER_THREADS, Service, opened, routes_of

FORCED = 1
"""Exit code after the second interrupt."""

RESTART = -1
"""What a program returns instead of an exit code that HUP has stopped: it is to be started anew."""

_HUP = "SIGHUP"
_RELAY_GRACE = 5.0
_THREAD_GRACE = 0.5
_PRUNE_EVERY = 600.0

log = structlog.stdlib.get_logger("worker")


async def consume(settings: Settings, registry: Registry, options: ConsumeOptions) -> int:
    """Handle messages until a signal or a limit; return the exit code.

    Raises:
        ConfigurationError: a name is not known, or something is missing and ``setup`` is off.
        Unavailable: database or broker did not answer at start.
    """
    choose(routes_of(settings, registry), options)
    async with opened(settings, registry, setup=options.setup, threads=options.concurrency) as service:
        worker = make_worker(service, options)
        control = make_control(service, worker)
        async with (
            _probes(service, worker, control, options.health_port),
            _signalled(worker.stop, options.graceful_timeout) as seen,
            _background(lambda: outlive(worker.stop)),
        ):
            await _work(service, worker, control, options)
    if _HUP not in seen:
        _leave_deaf_threads()
    return RESTART if _HUP in seen else 0


async def serve(settings: Settings, registry: Registry, options: ServeOptions) -> int:
    """Take commands over HTTP until a signal; return the exit code.

    Raises:
        ConfigurationError: the address is public or taken, or something is missing and ``setup`` is off.
        Unavailable: database or broker did not answer at start.
    """
    async with opened(settings, registry, setup=options.setup) as service:
        intake = Intake(service, options)
        async with (
            _signalled(intake.stop, options.graceful_timeout) as seen,
            _background(lambda: outlive(intake.stop)),
            _background(lambda: _tend(service)),
        ):
            await intake.run()
    return RESTART if _HUP in seen else 0


async def run(settings: Settings, registry: Registry, serve: ServeOptions, consume: ConsumeOptions) -> int:
    """Serve and consume in one process until a signal or a limit; return the exit code. Raises as both do."""
    choose(routes_of(settings, registry), consume)
    async with opened(settings, registry, setup=serve.setup, threads=consume.concurrency) as service:
        intake = Intake(service, serve)
        worker = make_worker(service, consume)
        control = make_control(service, worker)

        def stop(reason: str) -> None:
            """Stop both halves."""
            intake.stop(reason)
            worker.stop(reason)

        async with _signalled(stop, consume.graceful_timeout) as seen, _background(lambda: outlive(stop)):
            serving = asyncio.create_task(intake.run())
            working = asyncio.create_task(_work(service, worker, control, consume))
            await asyncio.wait({serving, working}, return_when=asyncio.FIRST_COMPLETED)
            stop("the other half ended")
            await asyncio.gather(serving, working)
    if _HUP not in seen:
        _leave_deaf_threads()
    return RESTART if _HUP in seen else 0


def supervise(argv: Sequence[str], processes: int, graceful_timeout: float, *, once: bool = False) -> int:
    """Run ``worker`` with ``argv`` in several processes until a signal; return the exit code."""
    return Supervisor(command_line(argv), processes, graceful_timeout, once=once).run()


async def _work(service: Service, worker: Worker, control: Control, options: ConsumeOptions) -> None:
    watchdog = Watchdog(lambda: worker.consumers, asyncio.get_running_loop().time)
    async with _background(lambda: _tend(service)), _background(control.run):
        await _first(control.known.wait(), worker.stopped())
        log.info(
            "worker started",
            queues=[consumer.spec.name for consumer in worker.consumers],
            concurrency=options.concurrency,
            worker=service.name,
        )
        async with _background(lambda: beat(control.report)), _background(watchdog.run):
            await worker.run(options.graceful_timeout, burst=options.burst)
    for consumer in worker.consumers:
        await consumer.close(1.0)
    await service.relay.drain(_RELAY_GRACE)
    with contextlib.suppress(Unavailable):
        await service.workers.remove(service.name)
    log.info("worker stopped", reason=worker.stopped_by)


async def _first(*waits: Coroutine[Any, Any, Any]) -> None:
    """Wait until one of several things has happened."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _tend(service: Service) -> None:
    """Send the outbox and prune old rows, until cancelled."""
    async with asyncio.TaskGroup() as group:
        group.create_task(keep(service.relay.run))
        group.create_task(keep(lambda: _prune(service)))


async def _prune(service: Service) -> None:
    while True:
        await asyncio.sleep(_PRUNE_EVERY)
        with contextlib.suppress(Unavailable):
            await service.prune()


@asynccontextmanager
async def _background(work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    task = asyncio.create_task(keep(work))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _probes(
    service: Service, worker: Worker, control: Control, port: int | None
) -> AsyncIterator[None]:
    if port is None:
        yield
        return
    async with _background(Probes(service, worker, control, port).run):
        yield


@asynccontextmanager
async def _signalled(stop: Any, graceful_timeout: float) -> AsyncIterator[list[str]]:
    """Stop on a signal; a second interrupt, or a handler that will not end, ends the process.

    Gives the names of the signals that came.
    """
    loop = asyncio.get_running_loop()
    overdue: list[asyncio.TimerHandle] = []
    seen: list[str] = []

    def ask(reason: str) -> None:
        log.info("stopping", signal=reason)
        seen.append(reason)
        stop(reason)
        overdue.append(loop.call_later(graceful_timeout + 30.0, _leave, FORCED))

    with stop_signals(ask, lambda: _leave(FORCED)):
        try:
            yield seen
        finally:
            for timer in overdue:
                timer.cancel()


def _leave_deaf_threads() -> None:
    """End the process where a handler that is a plain function will not end: the interpreter waits for its thread.

    Its message was given back; what it does from now on would only be in the way of the next attempt.
    """
    end = time.monotonic() + _THREAD_GRACE
    deaf = [thread for thread in threading.enumerate() if thread.name.startswith(HANDLER_THREADS)]
    for thread in deaf:
        thread.join(max(0.0, end - time.monotonic()))
    if any(thread.is_alive() for thread in deaf):
        log.warning("a handler would not end; leaving without it")
        _leave(0)


def _leave(code: int) -> None:
    """End the process at once: threads that never end must not keep it."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
