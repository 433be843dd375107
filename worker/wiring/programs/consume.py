"""The program that handles messages: ``worker consume``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from worker.messaging.declaration import Registry
from worker.runtime.options import ConsumeOptions
from worker.settings import Settings
from worker.wiring.choosing import choose, unaliased
from worker.wiring.consuming import make_consumers
from worker.wiring.parts.process import routes_of
from worker.wiring.programs.confined import confined, is_cell
from worker.wiring.programs.program import Job, program
from worker.wiring.programs.stopping import Stopping
from worker.wiring.programs.working import Working
from worker.wiring.service import Service


async def consume(
    settings: Settings,
    registry: Registry,
    options: ConsumeOptions,
    beside: Callable[[Service], Sequence[Job]] = lambda service: (),
) -> int:
    """Handle messages until a signal or a limit; return the exit code. ``beside``: jobs done at the same time.

    Raises:
        ConfigurationError: a name is not known, or something is missing and ``setup`` is off.
        Unavailable: database or broker did not answer at start.
    """
    options = unaliased(options, registry)
    choose(routes_of(settings, registry), options)
    if is_cell():
        return await confined(settings, registry, options)

    def jobs(service: Service, stopping: Stopping) -> list[Job]:
        """Make what is done, ready to be stopped."""
        others = beside(service)  # first: an address that is taken is a fault of the start
        consumers = make_consumers(service, options, on_stop=stopping.bound)
        stopping.expires(options.time_limit)
        return [*others, Working(service, consumers, options)]

    return await program(
        settings,
        registry,
        jobs,
        setup=options.setup,
        graceful_timeout=options.graceful_timeout,
        threads=options.concurrency,
    )
