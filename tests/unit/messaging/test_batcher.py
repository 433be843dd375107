"""The batcher: concurrent calls share work."""

from __future__ import annotations

import asyncio

import pytest

from worker.messaging.batcher import Batcher


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
    assert [await batcher.submit(number) for number in (7, 8, 9)] == [14, 16, 18]


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
    first, second = asyncio.ensure_future(batcher.submit(1)), asyncio.ensure_future(batcher.submit(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    release.set()
    assert await second == 2
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_no_more_batches_are_under_way_than_were_given():
    """A burst fills them with full batches; the rest goes when one has ended."""
    batches, release = [], asyncio.Event()

    async def work(items):
        batches.append(list(items))
        await release.wait()
        return items

    batcher = Batcher(work, limit=2, parallel=2)
    asked = asyncio.gather(*(batcher.submit(number) for number in range(5)))
    for _ in range(5):
        await asyncio.sleep(0)
    assert batches == [[0, 1], [2, 3]]
    release.set()
    assert await asked == [0, 1, 2, 3, 4]
    assert batches[2:] == [[4]]


async def test_a_batch_holds_what_fits_into_its_room():
    """An item that is larger than the room goes alone."""
    batches = []

    async def work(items):
        batches.append(list(items))
        return items

    batcher = Batcher(work, weigh=len, room=4)
    await asyncio.gather(*(batcher.submit(text) for text in ("ab", "cd", "e", "fffffff", "g")))
    assert batches == [["ab", "cd"], ["e"], ["fffffff"], ["g"]]


async def test_what_lingers_goes_when_its_batch_is_full_or_all_shall_be_finished():
    """Else after its time."""
    batches = []

    async def work(items):
        batches.append(list(items))
        return items

    batcher = Batcher(work, limit=2, linger=3600.0)
    assert await asyncio.gather(batcher.submit(1), batcher.submit(2)) == [1, 2]
    three = batcher.submit(3)
    for _ in range(5):
        await asyncio.sleep(0)
    assert batches == [[1, 2]]
    await batcher.finish()
    assert (batches, three.result()) == ([[1, 2], [3]], 3)
    soon = Batcher(work, linger=0.001)
    assert await soon.submit(4) == 4


async def test_a_task_that_is_cancelled_leaves_nobody_waiting():
    """As happens when the loop is shut down: also what had not begun is over."""

    async def work(items):
        await asyncio.Event().wait()

    batcher = Batcher(work, limit=1)
    asked = [batcher.submit(number) for number in (1, 2)]
    await asyncio.sleep(0)
    (task,) = batcher._open
    task.cancel()
    await asyncio.wait(asked)
    assert all(each.cancelled() for each in asked)
