"""All in one process: ``worker run``."""

from __future__ import annotations

from msgspec.structs import replace

from worker.messaging.declaration import Registry
from worker.runtime.options import ConsumeOptions, ServeOptions
from worker.settings import Settings
from worker.wiring.programs.consume import consume as consume_beside
from worker.wiring.programs.program import Job
from worker.wiring.programs.schedule import Scheduling
from worker.wiring.service import Service
from worker.wiring.serving.intake import Intake


async def run(settings: Settings, registry: Registry, serve: ServeOptions, consume: ConsumeOptions) -> int:
    """Serve, consume and fire schedules in one process until a signal or a limit; return the exit code. Raises as these do."""

    def beside(service: Service) -> list[Job]:
        """What is done beside the consuming; an application without schedules needs no scheduler."""
        intake: list[Job] = [Intake(service, serve)]
        return [*intake, Scheduling(service)] if service.schedules.by_name else intake

    # where everything is handled at once, there is nothing to consume, and all the rest to do
    return await consume_beside(settings, registry, replace(consume, idle=True), beside)
