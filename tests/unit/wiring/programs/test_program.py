"""The jobs of a program: stopped together, and each gets to finish."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from worker.wiring.programs.program import do


class Stops:
    """Keeps what a signal calls."""

    def __init__(self) -> None:
        self.stop: Callable[[str], None] | None = None

    def calls(self, stop: Callable[[str], None]) -> None:
        self.stop = stop


class Task:
    """A job that ends a step after it was stopped, or with a fault at once."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.stopped = asyncio.Event()
        self.reasons: list[str] = []
        self.finished = False

    def stop(self, reason: str) -> None:
        self.reasons.append(reason)
        self.stopped.set()

    async def run(self) -> None:
        if self.fault is not None:
            raise self.fault
        await self.stopped.wait()
        await asyncio.sleep(0)
        self.finished = True


async def test_a_signal_stops_all_jobs_and_each_finishes() -> None:
    """They are told the signal's name."""
    stopping, jobs = Stops(), [Task(), Task()]
    doing = asyncio.create_task(do(jobs, stopping))
    await asyncio.sleep(0)
    assert stopping.stop is not None
    stopping.stop("SIGTERM")
    await doing
    assert [(job.reasons[0], job.finished) for job in jobs] == [("SIGTERM", True)] * 2


async def test_a_job_that_fails_is_told_when_the_others_have_finished() -> None:
    """What they had in hand is not lost with it."""
    good, bad = Task(), Task(ValueError("wrong"))
    with pytest.raises(ValueError, match="wrong"):
        await do([good, bad], Stops())
    assert (good.reasons, good.finished) == (["another part of the program ended"], True)
