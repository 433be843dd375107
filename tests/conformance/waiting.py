"""Waiting for a condition instead of sleeping: bounded, and it says what did not happen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE = 30.0
"""Seconds after which what was waited for is not going to happen."""


async def eventually(condition: Callable[[], bool], what: str) -> None:
    """Return when the condition holds; fail after ``PATIENCE`` seconds, saying ``what`` was waited for."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    while not condition():
        assert loop.time() < deadline, f"did not happen within {PATIENCE:g} s: {what}"
        await asyncio.sleep(0.001)


async def settled_turns(turns: int = 20) -> None:
    """Let the loop's other tasks run until they wait for something."""
    for _ in range(turns):
        await asyncio.sleep(0)
