"""Loops beside the work: they outlast their faults."""

from __future__ import annotations

import asyncio

import pytest

from worker.runtime.standby import keep


async def test_a_loop_outlasts_its_faults() -> None:
    """A loop that fails is started again; one that ends has ended."""
    runs: list[int] = []

    async def loop() -> None:
        runs.append(len(runs))
        if len(runs) < 3:
            raise RuntimeError("once more")

    async with asyncio.timeout(10):
        await keep(loop, pause=0.0)
    assert runs == [0, 1, 2]


async def test_a_loop_can_be_cancelled() -> None:
    """Cancelling ends it, whatever it is at."""

    async def loop() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(keep(loop))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
