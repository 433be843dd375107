"""Both in one process: ``worker run``."""

from __future__ import annotations

from worker.messaging.declaration import Registry
from worker.runtime.options import ConsumeOptions, ServeOptions
from worker.settings import Settings
from worker.wiring.programs.consume import consume as consume_beside
from worker.wiring.serving.intake import Intake


async def run(settings: Settings, registry: Registry, serve: ServeOptions, consume: ConsumeOptions) -> int:
    """Serve and consume in one process until a signal or a limit; return the exit code. Raises as both do."""
    return await consume_beside(settings, registry, consume, lambda service: [Intake(service, serve)])
