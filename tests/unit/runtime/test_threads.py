"""Threads of plain functions: time counts from the start, and one that does not end keeps no other from starting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from tests.unit.runtime.house import until
from worker import App, Context, Retry
from worker.errors import Unavailable
from worker.runtime.threads import HANDLER_THREADS, Threads
from worker.testing import TestWorker

MOMENT = 0.01


class Held:
    """Calls that run until they are let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.started = 0

    def __call__(self) -> str:
        self.started += 1
        self.go.wait(30)
        return "late"


@pytest.fixture
def held() -> Iterator[Held]:
    held = Held()
    yield held
    held.go.set()


def handler_threads() -> set[threading.Thread]:
    """Those of this process, of other tests too."""
    return {thread for thread in threading.enumerate() if thread.name == HANDLER_THREADS}


async def given_up(threads: Threads, call: Callable[[], Any]) -> None:
    with pytest.raises(TimeoutError):
        await threads.run(call, MOMENT)


async def test_a_call_that_waits_for_its_thread_is_not_charged_with_the_time(held: Held) -> None:
    """Its limit begins when it does."""
    threads = Threads(1)
    first = asyncio.create_task(threads.run(held))
    await until(lambda: held.started)
    second = asyncio.create_task(threads.run(lambda: "done", MOMENT))
    await asyncio.sleep(MOMENT * 3)
    assert not second.done()
    held.go.set()
    assert await second == ("done", None)
    assert await first == ("late", None)
    threads.close()


async def test_a_thread_that_is_given_up_is_replaced(held: Held) -> None:
    """The next call starts at once."""
    threads = Threads(1)
    for _ in range(3):
        await given_up(threads, held)
        assert await threads.run(lambda: "done", 5.0) == ("done", None)
    threads.close()


async def test_when_no_more_are_replaced_it_is_said_and_calls_are_turned_back(held: Held) -> None:
    """Those that wait as well as new ones; when one that ran on has ended there is a thread again."""
    threads = Threads(2, spare=2)
    await given_up(threads, held)
    assert threads.troubles() == ()
    await given_up(threads, held)
    (trouble,) = threads.troubles()
    assert "2 of 2 are left" in trouble
    await given_up(threads, held)
    (trouble,) = threads.troubles()
    assert "1 of 2 are left" in trouble
    last = asyncio.create_task(threads.run(held, MOMENT))
    waiting = asyncio.create_task(threads.run(lambda: "never", 5.0))
    with pytest.raises(TimeoutError):
        await last
    _, error = await waiting
    assert isinstance(error, Unavailable)
    _, error = await threads.run(lambda: "never")
    assert isinstance(error, Unavailable)
    held.go.set()
    await until(lambda: not threads.troubles())
    assert await threads.run(lambda: "done") == ("done", None)
    threads.close()


async def test_there_are_never_more_threads_than_size_and_spare(held: Held) -> None:
    """Nor are there any left when all has ended."""
    before = handler_threads()
    threads = Threads(2, spare=1)
    tasks = [asyncio.create_task(threads.run(held, MOMENT)) for _ in range(8)]
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert held.started == 3
    assert sum(isinstance(one, TimeoutError) for one in ended) == 3
    mine = handler_threads() - before
    assert len(mine) == 3
    threads.close()
    held.go.set()
    await until(lambda: not any(thread.is_alive() for thread in mine))


async def test_who_is_cancelled_before_it_started_is_never_run(held: Held) -> None:
    """One that has started is given up."""
    threads, ran = Threads(1), []
    first = asyncio.create_task(threads.run(held))
    await until(lambda: held.started)
    second = asyncio.create_task(threads.run(lambda: ran.append(1)))
    await asyncio.sleep(0)
    for task in (second, first):
        task.cancel()
    await asyncio.wait([first, second])
    assert await threads.run(lambda: "done") == ("done", None)
    assert ran == []
    threads.close()


@pytest.mark.parametrize("error", [SystemExit(3), StopIteration(), KeyboardInterrupt(), GeneratorExit()])
async def test_whatever_a_call_raises_is_its_outcome(error: BaseException) -> None:
    """A future could not hold all of it."""

    def raising() -> None:
        raise error

    threads = Threads(1)
    assert await threads.run(raising) == (None, error)
    threads.close()


class Block(msgspec.Struct, frozen=True):
    number: int


class Quick(msgspec.Struct, frozen=True):
    number: int


async def test_a_handler_whose_thread_another_holds_is_not_charged(held: Held) -> None:
    """What is timed out fails; what waits behind it is done, with all of its time before it."""
    app, remaining = App("shop"), []
    app.command(timeout=0.05, retry=Retry(max_retries=0))(Block)
    app.command(timeout=5.0, retry=Retry(max_retries=0))(Quick)

    @app.handler
    def block(command: Block) -> None:
        held()

    @app.handler
    def quick(command: Quick, context: Context) -> None:
        remaining.append(context.remaining)

    async with TestWorker(app, concurrency=2) as worker:
        for number in range(4):
            await worker.send(Block(number))
        for number in range(4):
            await worker.send(Quick(number))
        await worker.run_until_idle()
        assert len(worker.handled(Quick)) == 4
        assert [failed.error and failed.error.type for failed in worker.failed()] == ["HandlerTimeout"] * 4
    assert remaining == [5.0] * 4
