"""Loops beside the work: they outlast their faults, and a supervised process its supervisor's death."""

from __future__ import annotations

import asyncio

import pytest

from worker.runtime.standby import keep, outlive


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


async def test_a_process_stops_when_its_supervisor_is_gone() -> None:
    """Another parent than at the start means that the supervisor has died."""
    parents = iter([7, 7, 7, 1])
    reasons: list[str] = []
    async with asyncio.timeout(10):
        await outlive(reasons.append, supervised=lambda: True, parent=lambda: next(parents), pause=0.0)
    assert reasons == ["its supervisor is gone"]


async def test_a_process_without_supervisor_is_let_alone() -> None:
    """A process that nobody supervises may lose its parent."""
    reasons: list[str] = []
    await outlive(reasons.append, supervised=lambda: False, parent=lambda: 1)
    assert not reasons
