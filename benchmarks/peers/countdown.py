"""Tells a loop that ends in order when its last message is acked."""

from __future__ import annotations

import asyncio

_PATIENCE = 10.0


class Countdown:
    """Reached after so many steps."""

    def __init__(self, steps: int) -> None:
        self._left = steps
        self._end = asyncio.Event()

    def step(self) -> None:
        """Count one more step."""
        self._left -= 1
        if self._left <= 0:
            self._end.set()

    async def reached(self) -> None:
        """Wait for the last one.

        Raises:
            TimeoutError: it does not come.
        """
        async with asyncio.timeout(_PATIENCE):
            await self._end.wait()
