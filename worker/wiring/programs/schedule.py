"""The program that fires schedules: ``worker schedule``."""

from __future__ import annotations

from worker.messaging.declaration import Registry
from worker.runtime.options import ScheduleOptions
from worker.runtime.process.readiness import tell_ready
from worker.settings import Settings
from worker.wiring.programs.background import Tended
from worker.wiring.programs.program import Job, program
from worker.wiring.service import Service

_RELAY_GRACE = 5.0


class Scheduling:
    """Fires schedules until stopped, then sends what is left to be sent."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def stop(self, reason: str) -> None:
        """Fire nothing new; what runs is finished."""
        self._service.schedules.scheduler.stop(reason)

    async def run(self) -> None:
        """Stand by or lead until stopped."""
        tell_ready()
        await self._service.schedules.scheduler.run()


class Drained:
    """A job after which the outbox is sent, as far as that can be done at once."""

    def __init__(self, service: Service, job: Job) -> None:
        self._service = service
        self._job = job

    def stop(self, reason: str) -> None:
        """Stop the job."""
        self._job.stop(reason)

    async def run(self) -> None:
        """Do the job until it ends."""
        await self._job.run()
        await self._service.sending.relay.drain(_RELAY_GRACE)


async def schedule(settings: Settings, registry: Registry, options: ScheduleOptions) -> int:
    """Fire schedules and send parked messages until a signal; return the exit code.

    Raises:
        ConfigurationError: something is missing and ``setup`` is off.
        Unavailable: database or broker did not answer at start.
    """
    return await program(
        settings,
        registry,
        lambda service, stopping: [Drained(service, Tended(service, Scheduling(service)))],
        setup=options.setup,
        graceful_timeout=options.graceful_timeout,
    )
