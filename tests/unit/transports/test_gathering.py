"""What is gathered into one batch, and when that starts."""

import asyncio

import pytest

from transports.gathering import Gathering

AGES = 3600.0
"""Seconds that no test waits for."""


class Work:
    """Does batches, each weighing a quarter an item, and notes them."""

    def __init__(self, apart=0.0):
        self.batches = []
        self.gathering = Gathering(self.do, lambda item: 0.25, apart)

    async def do(self, items):
        self.batches.append(list(items))
        await asyncio.sleep(0)
        return [item * 10 for item in items]

    async def done(self, *items):
        return await asyncio.gather(*map(self.gathering.submit, items))


async def turns():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_is_asked_for_at_once_is_one_batch_as_far_as_it_fits():
    work = Work()
    assert await work.done(*range(6)) == [0, 10, 20, 30, 40, 50]
    assert work.batches == [[0, 1, 2, 3], [4, 5]]


async def test_the_first_after_a_while_starts_at_once():
    work = Work(AGES)
    assert await work.done(1) == [10]


async def test_what_comes_soon_after_a_batch_waits_for_company():
    work = Work(AGES)
    await work.done(1)
    waiting = [work.gathering.submit(2)]
    await turns()
    waiting.append(work.gathering.submit(3))
    await turns()
    assert work.batches == [[1]]
    await work.gathering.finish()
    assert await asyncio.gather(*waiting) == [20, 30]
    assert work.batches == [[1], [2, 3]]


async def test_a_full_batch_waits_for_nothing_and_the_rest_for_company():
    work = Work(AGES)
    await work.done(1)
    waiting = [work.gathering.submit(item) for item in range(2, 7)]
    await asyncio.wait(waiting[:4])
    await turns()
    assert work.batches == [[1], [2, 3, 4, 5]]
    assert not waiting[4].done()
    await work.gathering.finish()


async def test_company_is_waited_for_no_longer_than_agreed():
    work = Work(0.01)
    await work.done(1)
    assert await work.done(2) == [20]


@pytest.mark.parametrize("apart", [0.0, AGES])
async def test_what_is_asked_for_before_the_end_is_answered(apart):
    work = Work(apart)
    waiting = [work.gathering.submit(item) for item in range(3)]
    await work.gathering.finish()
    assert all(future.done() for future in waiting)
    assert work.gathering.idle
