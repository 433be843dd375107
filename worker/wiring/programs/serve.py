"""The program that takes commands over HTTP: ``worker serve``."""

from __future__ import annotations

from worker.messaging.declaration import Registry
from worker.runtime.options import ServeOptions
from worker.settings import Settings
from worker.wiring.programs.background import Tended
from worker.wiring.programs.program import program
from worker.wiring.serving.intake import Intake


async def serve(settings: Settings, registry: Registry, options: ServeOptions) -> int:
    """Take commands over HTTP until a signal; return the exit code.

    Raises:
        ConfigurationError: the address is public or taken, or something is missing and ``setup`` is off.
        Unavailable: database or broker did not answer at start.
    """
    return await program(
        settings,
        registry,
        lambda service, stopping: [Tended(service, Intake(service, options))],
        setup=options.setup,
        graceful_timeout=options.graceful_timeout,
    )
