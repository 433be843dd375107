"""Runs a scenario with a bug planted in the transport: it must fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.conformance import bench as benches
from tests.conformance.bench import Bench
from tests.conformance.clock import Clock
from tests.conformance.suite import TransportSuite
from worker.messaging.transport import Transport

CATCHES = (AssertionError, TimeoutError, pytest.fail.Exception)
"""How a scenario fails: an assertion, a deadline, or an exception that did not come."""


async def run(
    scenario: str,
    make: Callable[[Clock], Transport],
    bug: Callable[[Transport], Any] = lambda good: good,
    *,
    pace: float | None = None,
    limit: float = 5.0,
) -> None:
    """Run one scenario within ``limit`` seconds; a ``pace`` is for brokers with a clock of their own."""
    clock = Clock()
    bench = Bench(lambda: bug(make(clock)), None if pace else clock, pace or 1.0)
    await bench.open()
    try:
        async with asyncio.timeout(limit):
            await getattr(TransportSuite(), scenario)(bench)
    finally:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
            with suppress(BaseException):
                await task
        await bench.close()


def shorten(monkeypatch: pytest.MonkeyPatch, patience: float) -> None:
    """Give up soon: what a bug withholds is not going to come."""
    monkeypatch.setattr(benches, "PATIENCE", patience)
