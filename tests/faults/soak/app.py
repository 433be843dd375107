"""An application whose handlers do, by request, whatever a handler should not do.

A message names its act. ``ACTS`` and ``BLOCKING_ACTS`` say what becomes of one: the type of the error that it fails
with, or None where it is done all the same.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import msgspec

from tests.e2e.statements import text
from worker import App, Context, Recoverable, Reject, Retry, Unrecoverable

TIMEOUT = 1.0
"""Seconds that a handler may run."""

RETRY = Retry(max_retries=1, delay=0.05, jitter=0.0)

app = App("soak")

seen: ContextVar[int | None] = ContextVar("seen", default=None)


class Own(BaseException):
    """Neither an Exception nor one of Python's."""


class Mute(Exception):
    """Its text cannot be read."""

    def __str__(self) -> str:
        raise SystemExit(5)


@app.command(retry=RETRY, timeout=TIMEOUT)
class Wild(msgspec.Struct, frozen=True):
    """Handled on the loop; ``once``: only its first attempt is wild."""

    number: int
    act: str
    once: bool = False


@app.command(retry=RETRY)
class Swift(msgspec.Struct, frozen=True):
    """The same without a timeout."""

    number: int
    act: str
    once: bool = False


@app.command(retry=RETRY, timeout=TIMEOUT)
class Blocking(msgspec.Struct, frozen=True):
    """Handled in a thread."""

    number: int
    act: str
    once: bool = False


@app.command(transport="inline")
class AtOnce(msgspec.Struct, frozen=True):
    """Handled before the answer."""

    act: str


@app.query
class Ask(msgspec.Struct, frozen=True):
    """Asked over HTTP."""

    act: str


@app.event(retry=RETRY)
class Noted(msgspec.Struct, frozen=True):
    """Heard by a subscriber that does its act."""

    number: int
    act: str


Act = Callable[[Context | None], Any]


def raising(make: Callable[[], BaseException]) -> Act:
    """Raise it."""

    def act(context: Context | None) -> None:
        raise make()

    return act


async def calm(context: Context | None) -> None:
    """Do nothing wrong."""
    await asyncio.sleep(0)


async def sleeps(context: Context | None) -> None:
    """Run longer than it may."""
    await asyncio.sleep(60)


async def clings(context: Context | None) -> None:
    """Run longer than it may, and exit when it is told to end."""
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        sys.exit(1)


async def cancels_itself(context: Context | None) -> None:
    """Cancel its own task and wait."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)


async def cancels_unnoticed(context: Context | None) -> None:
    """Cancel its own task and end before that is felt."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


async def leaves_a_task(context: Context | None) -> None:
    """Leave a task behind that exits."""

    async def exits() -> None:
        sys.exit(1)

    kept.append(asyncio.get_running_loop().create_task(exits()))
    del kept[:-10]


kept: list[Any] = []


async def leaves_a_callback(context: Context | None) -> None:
    """Leave a callback behind that exits."""
    asyncio.get_running_loop().call_soon(sys.exit, 1)


async def cancels_all(context: Context | None) -> None:
    """Cancel every task that it finds."""
    for task in asyncio.all_tasks():
        task.cancel()


async def stops_the_loop(context: Context | None) -> None:
    """Stop the loop that everything runs on."""
    asyncio.get_running_loop().stop()


async def waits_for(make: Callable[[], BaseException], context: Context | None) -> None:
    """Wait for what ends with an error."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_exception, make())
    await future


async def in_a_group(context: Context | None) -> None:
    """Have a group of tasks one of which exits."""
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(60))
        group.create_task(waits_for(Own, context))


async def returns_a_coroutine(context: Context | None) -> Any:
    """Forget to await."""
    return calm(context)


async def returns_a_generator(context: Context | None) -> Any:
    """Return what nothing runs."""
    return (number for number in range(3))


async def forks(context: Context | None) -> None:
    """Make a child that ends at once."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    await asyncio.to_thread(os.waitpid, pid, 0)


async def sets_variables(context: Context | None) -> None:
    """Leave a context variable behind; the next message must not see it."""
    seen.set(1)


async def stores(context: Context | None) -> None:
    """Write through the session."""
    if context is not None:
        await context.session.execute(text("CREATE TABLE IF NOT EXISTS soak (number INTEGER)"))
        await context.session.execute(text("INSERT INTO soak VALUES (1)"))


async def stores_and_exits(context: Context | None) -> None:
    """Write, then want to end the process: the row is gone."""
    await stores(context)
    sys.exit(3)


async def commits(context: Context | None) -> None:
    """End a transaction that is not its own to end."""
    await stores(context)
    if context is not None:
        await context.session.commit()


def group() -> BaseException:
    """Errors of all kinds in one, nested."""
    inner = BaseExceptionGroup("inner", [KeyboardInterrupt(), ValueError("x")])
    return BaseExceptionGroup("outer", [SystemExit(3), inner, asyncio.CancelledError()])


PLAIN: dict[str, tuple[Act, str | None]] = {
    "value error": (raising(lambda: ValueError("x")), "ValueError"),
    "exit": (raising(lambda: SystemExit(3)), "SystemExit"),
    "interrupt": (raising(KeyboardInterrupt), "KeyboardInterrupt"),
    "generator exit": (raising(GeneratorExit), "GeneratorExit"),
    "own": (raising(Own), "Own"),
    "cancelled": (raising(asyncio.CancelledError), "CancelledError"),
    "stop iteration": (raising(StopIteration), "RuntimeError"),
    "stop async iteration": (raising(StopAsyncIteration), "StopAsyncIteration"),
    "group": (raising(group), "BaseExceptionGroup"),
    "surrogate": (raising(lambda: ValueError("\udcff")), "ValueError"),
    "nul": (raising(lambda: ValueError("a\0b")), "ValueError"),
    "mute": (raising(Mute), "Mute"),
    "nan": (raising(lambda: Recoverable(delay=float("nan"))), "UsageError"),
    "reject": (raising(lambda: Reject("no")), "Reject"),
    "unrecoverable": (raising(lambda: Unrecoverable("no")), "Unrecoverable"),
}
"""What a handler of any kind may do."""

ACTS: dict[str, tuple[Act, str | None]] = {
    **PLAIN,
    "calm": (calm, None),
    "middleware exits": (calm, "SystemExit"),
    "cancels itself": (cancels_itself, "CancelledError"),
    "cancels unnoticed": (cancels_unnoticed, None),
    "leaves a task": (leaves_a_task, None),
    "leaves a callback": (leaves_a_callback, None),
    "stops the loop": (stops_the_loop, None),
    "cancels all": (cancels_all, None),
    "waits for an exit": (functools.partial(waits_for, SystemExit), "SystemExit"),
    "waits for a generator exit": (functools.partial(waits_for, GeneratorExit), "AbruptEnd"),
    "in a group": (in_a_group, "BaseExceptionGroup"),
    "returns a coroutine": (returns_a_coroutine, "UsageError"),
    "returns a generator": (returns_a_generator, "UsageError"),
    "forks": (forks, None),
    "sets variables": (sets_variables, None),
    "events": (calm, None),
}
"""On the loop."""

STORING: dict[str, tuple[Act, str | None]] = {
    "stores": (stores, None),
    "stores and exits": (stores_and_exits, "SystemExit"),
    "commits": (commits, "UsageError"),
}
"""On the loop: a handler that writes waits for the others that do, and with a timeout not for ever."""

TIMED: dict[str, tuple[Act, str | None]] = {
    "sleeps": (sleeps, "HandlerTimeout"),
    "clings": (clings, "SystemExit"),
}
"""On the loop, with a timeout."""

BLOCKING_ACTS: dict[str, tuple[Act, str | None]] = {
    **PLAIN,
    "calm": (lambda context: None, None),
    "sets variables": (lambda context: seen.set(1), None),
    "blocks": (lambda context: time.sleep(TIMEOUT * 2), "HandlerTimeout"),
    "returns a coroutine": (calm, None),
    "returns a generator": (lambda context: (number for number in range(3)), "UsageError"),
}
"""In a thread."""


def wrong(line: object) -> None:
    """Note what must not be."""
    with Path("wrong.txt").open("a") as file:
        file.write(f"{line}\n")


async def do(command: Wild | Swift, context: Context) -> Any:
    """Do the message's act, on the loop."""
    if seen.get() is not None:
        wrong(f"{command.number} sees the variables of another")
    if command.act == "events":
        context.record(Noted(command.number, PLAIN_NAMES[command.number % len(PLAIN_NAMES)]))
    if command.once and context.attempt > 1:
        return None
    done: Any = {**ACTS, **TIMED, **STORING}[command.act][0](context)
    return await done if inspect.isawaitable(done) else done


PLAIN_NAMES = sorted(PLAIN)


@app.handler
async def wild(command: Wild, context: Context) -> Any:
    return await do(command, context)


@app.handler
async def swift(command: Swift, context: Context) -> Any:
    return await do(command, context)


@app.handler
def blocking(command: Blocking, context: Context) -> Any:
    if seen.get() is not None:
        wrong(f"{command.number} sees the variables of another")
    if command.once and context.attempt > 1:
        return None
    return BLOCKING_ACTS[command.act][0](context)


@app.handler
async def at_once(command: AtOnce) -> Any:
    return PLAIN[command.act][0](None)


@app.handler
async def asked(query: Ask) -> Any:
    return PLAIN[query.act][0](None)


@app.subscriber
async def hears(event: Noted) -> Any:
    return PLAIN[event.act][0](None)


@app.middleware(on="consume", messages=[Wild, Swift])
async def exits(envelope: Any, call_next: Any) -> Any:
    """Exit for the messages that ask for it."""
    message = envelope.message
    if message.act == "middleware exits" and not (message.once and envelope.attempt > 1):
        sys.exit(7)
    return await call_next(envelope)
