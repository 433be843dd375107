"""Bounds on waiting: for an event, and for what a library does, which may wait itself when it is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")

_TIMES = 20
"""How often something is cancelled that has been given up and has not ended."""
_PAUSE = 0.05
"""Seconds between two of these."""


async def happens(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, for so many seconds at most; whether it has come."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def bounded(doing: Awaitable[T], seconds: float) -> T:
    """Await what a library does, for so many seconds at most.

    ``asyncio.timeout`` cancels and then waits for the cancelled; this cancels and goes on. It cancels again what
    has not ended: a library may wait for something else once it is cancelled, and the end of the loop waits for it.

    Raises:
        TimeoutError: it has not ended; it is cancelled, and not waited for.
    """
    task = asyncio.ensure_future(doing)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.add_done_callback(_forget)
            _give_up(task, _TIMES)
    if not task.done():
        raise TimeoutError
    return task.result()


async def closed(closing: Awaitable[object], seconds: float) -> None:
    """Let a library close something within so many seconds; how it went does not matter."""
    with contextlib.suppress(Exception):
        await bounded(closing, seconds)


def _give_up(task: asyncio.Future[Any], times: int) -> None:
    """Cancel it until it ends, so many times at most."""
    if times and not task.done():
        task.cancel()
        task.get_loop().call_later(_PAUSE, _give_up, task, times - 1)


def _forget(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()
