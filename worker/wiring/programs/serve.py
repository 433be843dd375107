"""The program that takes commands over HTTP: ``worker serve``."""

from __future__ import annotations

from worker.messaging.declaration import Registry
from worker.runtime.options import ServeOptions
from worker.settings import Settings
from worker.wiring.intake import Intake
from worker.wiring.parts.needs import Needs
from worker.wiring.programs.background import background, tend
from worker.wiring.programs.stopping import signalled
from worker.wiring.service import opened


async def serve(settings: Settings, registry: Registry, options: ServeOptions) -> int:
    """Take commands over HTTP until a signal; return the exit code.

    Raises:
        ConfigurationError: the address is public or taken, or something is missing and ``setup`` is off.
        Unavailable: database or broker did not answer at start.
    """
    async with signalled(options.graceful_timeout) as stopping:
        needs = Needs(tables="create" if options.setup else "require", writes=True)
        async with opened(settings, registry, needs) as service:
            intake = Intake(service, options)
            stopping.calls(intake.stop)
            async with background(lambda: tend(service)):
                await intake.run()
        await stopping.leave_deaf()
    return stopping.code
