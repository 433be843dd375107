"""The program that handles messages: ``worker consume``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from worker.messaging.declaration import Registry
from worker.runtime.holding.control import Control
from worker.runtime.options import ConsumeOptions
from worker.runtime.worker import Worker
from worker.settings import Settings
from worker.wiring.consuming import choose, make_control, make_worker
from worker.wiring.parts.needs import Needs
from worker.wiring.parts.process import routes_of
from worker.wiring.programs.background import background
from worker.wiring.programs.confined import confined, is_cell
from worker.wiring.programs.stopping import signalled
from worker.wiring.programs.working import work
from worker.wiring.service import Service, opened


async def consume(settings: Settings, registry: Registry, options: ConsumeOptions) -> int:
    """Handle messages until a signal or a limit; return the exit code.

    Raises:
        ConfigurationError: a name is not known, or something is missing and ``setup`` is off.
        Unavailable: database or broker did not answer at start.
    """
    choose(routes_of(settings, registry), options)
    if is_cell():
        return await confined(settings, registry, options)
    async with signalled(options.graceful_timeout) as stopping:
        needs = Needs(
            tables="create" if options.setup else "require", writes=True, threads=options.concurrency
        )
        async with opened(settings, registry, needs) as service:
            worker = make_worker(service, options)
            control = make_control(service, worker)
            worker.on_stop = stopping.bound
            stopping.calls(worker.stop)
            stopping.expires(options.time_limit)
            async with _probes(service, worker, control, options.health_port):
                await work(service, worker, control, options)
        await stopping.leave_deaf()
    return stopping.code


@asynccontextmanager
async def _probes(
    service: Service, worker: Worker, control: Control, port: int | None
) -> AsyncIterator[None]:
    if port is None:
        yield
        return
    # brings an HTTP server, which a worker without probes does not need
    from worker.wiring.probes import Probes

    async with background(Probes(service, worker, control, port).run):
        yield
