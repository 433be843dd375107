"""An outage in the log: said when it begins and when it is over, not each time that something is tried."""

from __future__ import annotations

import asyncio

from structlog.stdlib import BoundLogger

AGAIN = 60.0
"""Seconds after which an outage that goes on is said again."""


class OutageLog:
    """Says it once, once more after each minute, and once that it is over.

    Args:
        log: where it is said.
        waits: what waits meanwhile, as the log has it.
        goes_on: that it goes on, as the log has it.
    """

    def __init__(self, log: BoundLogger, waits: str, goes_on: str) -> None:
        self._log = log
        self._waits = waits
        self._goes_on = goes_on
        self._told: float | None = None

    def met(self, error: Exception, **facts: object) -> None:
        """Something outside did not answer; ``facts`` are said with it."""
        now = asyncio.get_running_loop().time()
        if self._told is None or now >= self._told + AGAIN:
            self._told = now
            self._log.warning(self._waits, error=str(error), **facts)

    def over(self) -> None:
        """It answers; says so where it did not before."""
        if self._told is not None:
            self._told = None
            self._log.info(self._goes_on)
