"""Both in one process: ``worker run``."""

from __future__ import annotations

import asyncio

from worker.messaging.declaration import Registry
from worker.runtime.options import ConsumeOptions, ServeOptions
from worker.settings import Settings
from worker.wiring.consuming import choose, make_control, make_worker
from worker.wiring.intake import Intake
from worker.wiring.parts.needs import Needs
from worker.wiring.parts.process import routes_of
from worker.wiring.programs.confined import confined, is_cell
from worker.wiring.programs.stopping import signalled
from worker.wiring.programs.working import work
from worker.wiring.service import opened


async def run(settings: Settings, registry: Registry, serve: ServeOptions, consume: ConsumeOptions) -> int:
    """Serve and consume in one process until a signal or a limit; return the exit code. Raises as both do."""
    choose(routes_of(settings, registry), consume)
    if is_cell():
        return await confined(settings, registry, consume)
    async with signalled(consume.graceful_timeout) as stopping:
        needs = Needs(tables="create" if serve.setup else "require", writes=True, threads=consume.concurrency)
        async with opened(settings, registry, needs) as service:
            intake = Intake(service, serve)
            worker = make_worker(service, consume)
            control = make_control(service, worker)

            def stop(reason: str) -> None:
                """Stop both halves."""
                intake.stop(reason)
                worker.stop(reason)

            worker.on_stop = stopping.bound
            stopping.calls(stop)
            stopping.expires(consume.time_limit)
            serving = asyncio.create_task(intake.run())
            working = asyncio.create_task(work(service, worker, control, consume))
            await asyncio.wait({serving, working}, return_when=asyncio.FIRST_COMPLETED)
            stop("the other half ended")
            await asyncio.gather(serving, working)
        await stopping.leave_deaf()
    return stopping.code
