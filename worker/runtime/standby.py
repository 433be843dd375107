"""Loops beside the work: kept running through their own faults, and watching whether the supervisor lives."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

import structlog

from worker.runtime.supervisor import CHILD_MARK

PAUSE = 1.0
"""Seconds before a loop that has failed starts again, and between looks at the supervisor."""

log = structlog.stdlib.get_logger("worker.standby")


async def keep(loop: Callable[[], Awaitable[None]], pause: float = PAUSE) -> None:
    """Run a loop until it ends or is cancelled; a fault of its own is logged, and it starts again.

    What goes on beside the work must not end unseen, nor end the work.
    """
    while True:
        try:
            await loop()
        except Exception:
            log.exception("a loop beside the work has failed; it starts again", loop=_name(loop))
            await asyncio.sleep(pause)
        else:
            return


async def outlive(
    stop: Callable[[str], None],
    *,
    supervised: Callable[[], bool] = lambda: CHILD_MARK in os.environ,
    parent: Callable[[], int] = os.getppid,
    pause: float = PAUSE,
) -> None:
    """Stop a supervised process, gracefully, when its supervisor is gone; without one, return at once.

    A supervisor that was killed cannot stop its processes: nobody would, and the next fleet would share their queues.
    """
    if not supervised():
        return
    born = parent()
    while parent() == born:  # noqa: ASYNC110 # nothing tells of a parent's death: it has to be looked at
        await asyncio.sleep(pause)
    log.warning("the supervisor is gone; stopping")
    stop("its supervisor is gone")


def _name(loop: object) -> str:
    return str(getattr(loop, "__qualname__", type(loop).__qualname__))
