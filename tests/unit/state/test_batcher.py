"""The batcher: concurrent calls share work."""

from __future__ import annotations

import asyncio

import pytest

from worker.state.batcher import Batcher


async def test_calls_of_one_moment_are_one_batch():
    """What is submitted together is done together, and what comes meanwhile is the next batch."""
    batches = []

    async def work(items):
        batches.append(list(items))
        await asyncio.sleep(0)
        return [item * 2 for item in items]

    batcher = Batcher(work, limit=3)
    assert await asyncio.gather(*(batcher.submit(number) for number in range(5))) == [0, 2, 4, 6, 8]
    assert batches == [[0, 1, 2], [3, 4]]
    assert await batcher.submit(7) == 14


async def test_an_error_is_every_callers_and_the_next_batch_works():
    """What the work raises, all of its batch get; later calls are not affected."""
    fail = True

    async def work(items):
        if fail:
            raise ValueError("no")
        return items

    batcher = Batcher(work)
    results = await asyncio.gather(batcher.submit(1), batcher.submit(2), return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError]
    fail = False
    assert await batcher.submit(3) == 3


async def test_a_cancelled_caller_does_not_disturb_the_others():
    """A caller that gives up leaves its batch as it is."""
    release = asyncio.Event()

    async def work(items):
        await release.wait()
        return items

    batcher = Batcher(work)
    first, second = asyncio.create_task(batcher.submit(1)), asyncio.create_task(batcher.submit(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    release.set()
    assert await second == 2
    with pytest.raises(asyncio.CancelledError):
        await first
