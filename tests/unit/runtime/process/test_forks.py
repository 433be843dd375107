"""What a forked process has in common with the worker: nothing that could reach it or its brokers."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from worker.middleware.calling import _in_time
from worker.runtime.process.forks import CAME_BACK, forks_apart
from worker.runtime.threads import _Call


class Hooks:
    """Keeps what is registered, to be called around a fork as Python would."""

    def __call__(self, **hooks: Callable[[], None]) -> None:
        self.hooks = hooks

    def fork_here(self) -> int:
        """Exit code of a child that goes on like this one."""
        self.hooks["before"]()
        pid = os.fork()
        self.hooks["after_in_parent" if pid else "after_in_child"]()
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) if pid else 0

    def fork(self, child: Callable[[], int]) -> int:
        """Exit code of a child that runs this, or the signal that ended it, below 0."""
        self.hooks["before"]()
        pid = os.fork()
        if not pid:
            try:
                self.hooks["after_in_child"]()
                os._exit(child())
            finally:
                os._exit(99)
        self.hooks["after_in_parent"]()
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.fixture
async def hooks() -> Any:
    made = Hooks()
    with forks_apart(register=made):
        yield made


async def test_signals_do_there_what_they_do_by_default(hooks: Hooks) -> None:
    """A child ends when it is told to; here all is as before."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert hooks.fork(lambda: os.kill(os.getpid(), signal.SIGTERM) or 1) == -signal.SIGTERM
    heard, woken = socket.socketpair()
    woken.setblocking(False)
    kept = signal.set_wakeup_fd(woken.fileno())
    try:
        assert hooks.fork(lambda: signal.set_wakeup_fd(-1) + 1) == 0
    finally:
        signal.set_wakeup_fd(kept)
        heard.close()
        woken.close()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


async def test_connections_are_not_shared(hooks: Hooks) -> None:
    """What a child writes to and closes is not the worker's connection, which goes on."""
    got = asyncio.Queue[bytes]()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while part := await reader.read(100):
            got.put_nowait(part)
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    number = writer.get_extra_info("socket").fileno()

    def child() -> int:
        os.write(number, b"from the child")
        os.close(number)
        return 0

    assert hooks.fork(child) == 0
    writer.write(b"from here")
    async with asyncio.timeout(10):
        assert await got.get() == b"from here"
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()


def watching() -> list[int]:
    """Descriptors by which this process's loops wait."""
    shown = [entry for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return [int(entry.name) for entry in shown if "[eventpoll]" in os.readlink(entry)]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux tells")
async def test_what_a_child_waits_for_wakes_nobody_here(hooks: Hooks) -> None:
    """What a loop waits by is the same thing in both processes, unless the child gets one of its own."""
    here = watching()
    heard, ready = os.pipe()

    def child() -> int:
        for number in watching():
            select.epoll.fromfd(number).register(ready, select.EPOLLOUT)
        return 0

    assert hooks.fork(child) == 0
    seen = [number for at in here for number, _ in select.epoll.fromfd(os.dup(at)).poll(0)]
    os.close(heard)
    os.close(ready)
    assert ready not in seen


async def test_a_child_that_comes_back_ends(hooks: Hooks) -> None:
    """It is no second worker: neither its loop nor a thread that has something for the loop goes on."""
    loop = asyncio.get_running_loop()
    assert hooks.fork(lambda: loop.call_soon_threadsafe(print) and 1) == CAME_BACK


@pytest.mark.parametrize("ends", ["returns", "raises", "waits"])
async def test_a_child_that_comes_back_does_nothing_more(hooks: Hooks, ends: str) -> None:
    """Nothing of what was due in this turn of the loop: no settlement, no next message, no other handler's next step."""

    async def handler() -> int:
        hooks.hooks["before"]()
        pid = os.fork()
        if pid:
            hooks.hooks["after_in_parent"]()
            return pid
        hooks.hooks["after_in_child"]()
        assert sorted([2, 1], key=lambda one: -one) == [2, 1]  # calls of its own are its own affair
        if ends == "raises":
            raise ValueError
        if ends == "waits":
            await asyncio.sleep(0)
        return 0

    me = os.getpid()
    due = asyncio.ensure_future(_in_time(handler(), None, None, None))  # type: ignore[arg-type]  # names for an error
    asyncio.get_running_loop().call_soon(lambda: os.getpid() == me or os._exit(98))
    assert os.waitstatus_to_exitcode(os.waitpid(await due, 0)[1]) == CAME_BACK


async def test_a_child_of_a_plain_function_that_comes_back_does_nothing_more(hooks: Hooks) -> None:
    """It ends before its thread has told the loop."""
    assert _Call(hooks.fork_here).run() == (CAME_BACK, None)
