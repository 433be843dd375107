"""Loops beside the work: kept running through their own faults."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

PAUSE = 1.0
"""Seconds before a loop that has failed starts again."""

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


def _name(loop: object) -> str:
    return str(getattr(loop, "__qualname__", type(loop).__qualname__))
