"""A program: a service, and jobs that are done at once until a signal stops them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from worker.messaging.declaration import Registry
from worker.settings import Settings
from worker.wiring.parts.needs import Needs
from worker.wiring.programs.stopping import Stopping, signalled
from worker.wiring.service import Service, opened


class Job(Protocol):
    """What a program does."""

    async def run(self) -> None:
        """Do it until stopped, or until it is done."""
        ...

    def stop(self, reason: str) -> None:
        """Begin nothing new and finish what runs. Idempotent."""
        ...


Jobs = Callable[[Service, Stopping], Sequence[Job]]
"""Makes the jobs of a program."""


async def program(
    settings: Settings,
    registry: Registry,
    jobs: Jobs,
    *,
    setup: bool,
    graceful_timeout: float,
    threads: int | None = None,
) -> int:
    """Do the jobs until a signal, or until one of them ends; return the exit code.

    Args:
        settings: checked.
        registry: checked.
        jobs: made when the service is open.
        setup: whether missing tables and queues are created; else they are an error.
        graceful_timeout: seconds that what runs gets when the program stops.
        threads: for handlers that are plain functions; None for as many as the settings' concurrency.

    Raises:
        ConfigurationError: something is missing and ``setup`` is off, or a job cannot be done as it is asked for.
        Unavailable: database or broker did not answer at start.
    """
    needs = Needs(tables="create" if setup else "require", writes=True, threads=threads)
    async with signalled(graceful_timeout) as stopping:
        async with opened(settings, registry, needs) as service:
            await do(jobs(service, stopping), stopping)
        await stopping.leave_deaf()
    return stopping.code


async def do(jobs: Sequence[Job], stopping: Stopping) -> None:
    """Do jobs at once; when the first one ends, all others are stopped and get their time to finish.

    Raises:
        Exception: what a job raised.
    """

    def stop(reason: str) -> None:
        """Stop all of them."""
        for job in jobs:
            job.stop(reason)

    stopping.calls(stop)
    running = [asyncio.create_task(job.run()) for job in jobs]
    try:
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        stop("another part of the program ended")
        await asyncio.wait(running)
    finally:
        for task in running:
            task.cancel()
    for task in running:
        task.result()
