"""The heartbeat: tells the fleet that this worker lives and what it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from worker.errors import Unavailable
from worker.messaging.outage_log import OutageLog

INTERVAL = 5.0
"""Seconds between beats."""

log = structlog.stdlib.get_logger("worker.heartbeat")


async def beat(write: Callable[[], Awaitable[None]], interval: float = INTERVAL) -> None:
    """Write a beat every ``interval`` seconds until cancelled; an outage is waited out."""
    outage = OutageLog(log, "heartbeat not written", "heartbeat is written again")
    while True:
        try:
            await write()
        except Unavailable as error:
            outage.met(error)
        else:
            outage.over()
        await asyncio.sleep(interval)
