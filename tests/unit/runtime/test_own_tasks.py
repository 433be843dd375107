"""A handler that cancels every task it finds, or whose awaited call ends as if it were closed, affects nothing else."""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.unit.cli.test_loop import kinds
from worker.cli.loop import enduring
from worker.errors import AbruptEnd, UsageError
from worker.runtime.own_tasks import IN_APPLICATION, OwnTasks, application_context, hosting, own_tasks

each_kind = pytest.mark.parametrize("kind", kinds())


def run(
    kind: type[asyncio.AbstractEventLoop], program: Callable[[OwnTasks], Coroutine[Any, Any, Any]]
) -> Any:
    """Run a program as the command line does."""
    tasks = OwnTasks()
    with capture_logs(), asyncio.Runner(loop_factory=enduring(kind)) as runner:
        runner.get_loop().set_task_factory(tasks)
        try:
            return runner.run(program(tasks))
        finally:
            tasks.reveal()


async def forever() -> None:
    """Wait."""
    await asyncio.Event().wait()


async def spawning(spawned: list[asyncio.Task[None]]) -> set[asyncio.Task[Any]]:
    """Application code: spawn a task, cancel all that are found, tell which those were."""
    IN_APPLICATION.set(True)
    spawned.append(asyncio.create_task(forever()))
    found = asyncio.all_tasks()
    for task in found:
        task.cancel()
    return found


@each_kind
def test_a_handler_finds_the_tasks_of_handlers_alone(kind: type[asyncio.AbstractEventLoop]) -> None:
    """Not the program's, nor those of other messages, nor its own."""

    async def program(tasks: OwnTasks) -> None:
        spawned: list[asyncio.Task[None]] = []
        ours = asyncio.create_task(forever())
        assert await asyncio.create_task(spawning(spawned)) == set(spawned)
        await asyncio.wait(spawned)
        assert spawned[0].cancelled()
        assert not ours.done()
        tasks.reveal()
        assert asyncio.all_tasks() == {ours, asyncio.current_task()}

    run(kind, program)


@each_kind
def test_what_is_left_ends_with_the_program(kind: type[asyncio.AbstractEventLoop]) -> None:
    """Hidden or not."""
    left: list[asyncio.Task[None]] = []

    async def program(tasks: OwnTasks) -> None:
        left.append(asyncio.create_task(forever()))
        await asyncio.sleep(0)

    run(kind, program)
    assert left[0].cancelled()


def test_what_the_collector_leaves_alone_is_not_looked_at() -> None:
    """Modules and types are most of a process; a task that an application sets apart with them is found, too."""
    gc.freeze()
    set_apart = gc.get_freeze_count()
    left: list[asyncio.Task[None]] = []

    async def program(tasks: OwnTasks) -> None:
        left.append(asyncio.create_task(forever()))
        tasks.reveal()
        assert gc.get_freeze_count() > set_apart / 2
        left.append(asyncio.create_task(forever()))
        gc.freeze()
        tasks.reveal()
        assert asyncio.all_tasks() == {*left, asyncio.current_task()}

    run(asyncio.SelectorEventLoop, program)


@each_kind
def test_a_request_is_not_closed_by_what_it_waits_for(kind: type[asyncio.AbstractEventLoop]) -> None:
    """A future that ended with ``GeneratorExit`` is an error like any other where requests are served."""

    async def request() -> Any:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_exception, GeneratorExit())
        try:
            await future
        except AbruptEnd:
            await asyncio.sleep(0)
        return "answered"

    async def program(tasks: OwnTasks) -> str:
        return await hosting(application_context(), request())

    assert run(kind, program) == "answered"


def test_other_loops_have_none() -> None:
    """As in tests, and where an application embeds the worker."""
    loop = asyncio.SelectorEventLoop()
    assert own_tasks(loop) is None
    loop.close()


CALLS: dict[str, Callable[[asyncio.AbstractEventLoop], object]] = {
    "shutdown_asyncgens": lambda loop: loop.shutdown_asyncgens(),
    "shutdown_default_executor": lambda loop: loop.shutdown_default_executor(),
    "set_task_factory": lambda loop: loop.set_task_factory(None),
    "set_default_executor": lambda loop: loop.set_default_executor(ThreadPoolExecutor(1)),
}


@each_kind
@pytest.mark.parametrize("call", CALLS)
def test_a_handler_cannot_take_the_loop_apart(kind: type[asyncio.AbstractEventLoop], call: str) -> None:
    """The loop's generators, its threads and its task factory belong to all handlers; a handler that would end them gets an error."""

    async def handler() -> None:
        IN_APPLICATION.set(True)
        with pytest.raises(UsageError, match=call):
            done = CALLS[call](asyncio.get_running_loop())
            if inspect.isawaitable(done):
                await done

    async def program(tasks: OwnTasks) -> str:
        await asyncio.create_task(handler())
        return await asyncio.to_thread(lambda: "works")

    assert run(kind, program) == "works"
