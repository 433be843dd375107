"""The loop: only the program's own end ends it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from worker.cli.loop import enduring, run


def kinds() -> list[type[asyncio.AbstractEventLoop]]:
    """The loops that programs may run on."""
    found: list[type[asyncio.AbstractEventLoop]] = [asyncio.SelectorEventLoop]
    try:
        import uvloop
    except ImportError:
        return found
    return [*found, uvloop.Loop]


class Own(BaseException):
    """Neither an Exception nor one of Python's."""


def in_a_task(error: BaseException) -> Callable[[], object]:
    """Spawn a task that raises, as handlers do that do not wait for what they start."""

    async def wild() -> None:
        raise error

    return lambda: asyncio.get_running_loop().create_task(wild())


def in_a_callback(error: BaseException) -> Callable[[], object]:
    """Have the loop call what raises."""

    def wild() -> None:
        raise error

    return lambda: asyncio.get_running_loop().call_soon(wild)


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize(
    "spawn",
    [
        in_a_task(SystemExit(3)),
        in_a_task(KeyboardInterrupt()),
        in_a_task(Own()),
        in_a_callback(SystemExit(3)),
        in_a_callback(KeyboardInterrupt()),
        lambda: asyncio.get_running_loop().call_later(0, sys.exit, 1),
        lambda: asyncio.get_running_loop().stop(),
    ],
)
def test_code_beside_the_program_does_not_end_it(
    kind: type[asyncio.AbstractEventLoop], spawn: Callable[[], object]
) -> None:
    """Nor does anything get lost that was about to run."""
    done: list[int] = []

    async def program() -> int:
        kept: list[object] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: None)
        for number in range(3):
            loop.call_soon(done.append, number)
            kept.append(spawn())
            loop.call_soon(done.append, number)
            await asyncio.sleep(0.001)
        return 7

    with capture_logs(), asyncio.Runner(loop_factory=enduring(kind)) as runner:
        assert runner.run(program()) == 7
    assert done == [0, 0, 1, 1, 2, 2]


def test_handlers_that_hold_threads_for_good_leave_some_to_the_worker() -> None:
    """Both use those of ``asyncio.to_thread``."""
    go = threading.Event()

    async def program() -> str:
        held = [asyncio.create_task(asyncio.to_thread(go.wait, 30)) for _ in range(64)]
        await asyncio.sleep(0)  # they ask first
        try:
            async with asyncio.timeout(10):
                return await asyncio.to_thread(lambda: "read")
        finally:
            go.set()
            await asyncio.gather(*held)

    assert run(program()) == "read"


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), RuntimeError("gone")])
def test_the_programs_own_end_is_the_end(error: BaseException) -> None:
    """What the program itself raises comes out."""

    async def program() -> Any:
        raise error

    with pytest.raises(type(error)):
        run(program())


@pytest.mark.parametrize("kind", kinds())
def test_the_second_interrupt_of_somebody_at_the_keyboard_ends_it(
    kind: type[asyncio.AbstractEventLoop],
) -> None:
    """The first cancels the program; where that does not help, the next one comes through."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    async def program() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            asyncio.get_running_loop().call_soon(interrupt)
        await asyncio.Event().wait()

    with pytest.raises(KeyboardInterrupt), asyncio.Runner(loop_factory=enduring(kind)) as runner:
        runner.run(program())
