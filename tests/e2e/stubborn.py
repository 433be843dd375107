"""Handlers that fork, and handlers that will not let a worker go."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import msgspec

from tests.e2e.app import mark, note
from worker import App
from worker.runtime.process.supervisor import command_line

app = App("stubborn")


@app.command
class Print(msgspec.Struct, frozen=True):
    """Prints more than any buffer holds."""

    text: str


@app.handler
async def print_much(command: Print) -> None:
    """Says so when it is through."""
    print(command.text * 100_000)
    note("printed", command.text)


@app.command
class Thread(msgspec.Struct, frozen=True):
    """Leaves a thread that never ends, and takes TERM for itself."""


@app.handler
async def leave_a_thread(command: Thread) -> None:
    """The interpreter waits for such a thread."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=lambda: threading.Event().wait()).start()
    mark("started", "thread")


@app.command
class Deaf(msgspec.Struct, frozen=True):
    """Swallows its cancellation, again and again."""


@app.handler
async def hear_nothing(command: Deaf) -> None:
    """Never ends."""
    mark("started", "deaf")
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            note("swallowed", "once")


@app.command
class Block(msgspec.Struct, frozen=True):
    """Holds up the loop itself."""


@app.handler
async def block(command: Block) -> None:
    """Never ends, and lets nothing else run."""
    mark("started", "block")
    time.sleep(600)  # that is the fault


@app.command
class Spawn(msgspec.Struct, frozen=True):
    """Starts a worker of its own."""


@app.handler
async def spawn(command: Spawn) -> None:
    """HUP as soon as it works, TERM as soon as it works again."""
    log = Path("spawned.log")
    with log.open("wb") as out:
        inner = await asyncio.create_subprocess_exec(
            *command_line(["consume", "--log-format", "json"]), stderr=out, stdin=asyncio.subprocess.DEVNULL
        )
    for started, number in ((1, signal.SIGHUP), (2, signal.SIGTERM)):
        while log.read_text().count("worker started") < started:
            await asyncio.sleep(0.05)
        inner.send_signal(number)
    note("spawned", await inner.wait())


@app.command
class Fork(msgspec.Struct, frozen=True):
    """Forks in each way there is."""


def square(number: int) -> int:
    """What a pool's process does."""
    return number * number


@app.handler
async def fork(command: Fork) -> None:
    """A pool that is ended by TERM, a child that TERM ends, one that comes back from the handler, one that runs another."""
    with multiprocessing.get_context("fork").Pool(2) as pool:
        note("squares", pool.map(square, [2, 3]))
    waiting = os.fork()
    if not waiting:
        time.sleep(600)  # it is ended before
        os._exit(0)
    os.kill(waiting, signal.SIGTERM)
    note("ended", os.WTERMSIG(os.waitpid(waiting, 0)[1]) if waiting else "")
    returning = os.fork()
    if not returning:
        return
    note("ended", os.waitstatus_to_exitcode(os.waitpid(returning, 0)[1]))
    process = await asyncio.create_subprocess_exec("echo", "piped", stdout=asyncio.subprocess.PIPE)
    piped, _ = await process.communicate()
    note("ended", piped.decode().strip())


@app.command
class Plain(msgspec.Struct, frozen=True):
    """A plain function that forks, in a thread."""


@app.handler
def fork_in_a_thread(command: Plain) -> None:
    """A pool, and a child that comes back from the handler."""
    with multiprocessing.get_context("fork").Pool(2) as pool:
        note("squares", pool.map(square, [4]))
    returning = os.fork()
    if returning:
        note("returned", os.waitstatus_to_exitcode(os.waitpid(returning, 0)[1]))
