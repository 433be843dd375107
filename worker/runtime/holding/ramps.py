"""Ramps of one worker: begun when a long pause ends, shared fairly among the fleet, and ended when they are done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from worker.errors import Unavailable
from worker.messaging.pausing import Pause
from worker.runtime.holding.ramp import Ramp, RampPolicy
from worker.runtime.taking.consumer import Consumer

_LOOK = 2.0
"""Seconds between counts of the fleet."""

log = structlog.stdlib.get_logger("worker.ramp")


class Ramps:
    """Begins and ends ramps.

    Args:
        policy: of the fleet.
        fleet: counts the workers alive, this one included.
    """

    def __init__(self, policy: RampPolicy, fleet: Callable[[], Awaitable[int]]) -> None:
        self._policy = policy
        self._fleet = fleet
        self._share = 1.0
        self._counted_at = float("-inf")

    def begin(self, consumer: Consumer, pause: Pause, now: float) -> Ramp | None:
        """Make a ramp for a consumer that was paused for long, or by a breaker; None for others."""
        lasted = now - pause.since
        if pause.origin == "exclusive" or not self._policy.enabled:
            return None
        if pause.origin != "breaker" and lasted < self._policy.after:
            return None
        log.info("work is taken up step by step", queue=consumer.spec.name, paused_for=round(lasted, 1))
        return Ramp(self._policy, asyncio.get_running_loop().time(), self._share)

    async def look(self, consumers: Sequence[Consumer]) -> None:
        """Count the fleet now and then, and end the ramps that hold nothing back any more."""
        now = asyncio.get_running_loop().time()
        for consumer in consumers:
            throttle = consumer.pace.throttle
            if throttle is not None and throttle.over(now):
                consumer.pace.limit(None)
                log.info("work is taken up in full", queue=consumer.spec.name)
        if now - self._counted_at < _LOOK or not any(one.pace.throttle or one.paused for one in consumers):
            return
        try:
            self._share = 1.0 / max(1, await self._fleet())
        except Unavailable as error:
            log.debug("fleet not counted", error=str(error))
            return
        self._counted_at = now
        for consumer in consumers:
            if consumer.pace.throttle is not None:
                consumer.pace.throttle.share = self._share
