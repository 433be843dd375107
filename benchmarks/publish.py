"""Publish: commands a second with 1,000 dispatches in flight, next to bare inserts of the same batches."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.application import Plain
from benchmarks.bare_queue import BareQueue
from benchmarks.consume import BODY_SIZE
from benchmarks.pad import PAD
from benchmarks.result import Figure, Result, paired
from benchmarks.scale import Scale
from benchmarks.site import Site
from benchmarks.stopwatch import Stopwatch
from worker.cli.loop import run as run_program

IN_FLIGHT = 1000


def run(scale: Scale, folder: Path) -> list[Result]:
    """Measure confirmed dispatches."""
    pairs = []
    for number in range(scale.rounds):
        ours = run_program(_ours(folder / str(number), scale.messages))
        pairs.append((ours, _bare(folder / str(number) / "bare.db", scale.messages)))
    return [paired("publish", "messages/s", pairs)]


async def _ours(folder: Path, messages: int) -> Figure:
    async with Site(folder).service() as service:
        bus = service.buses.dispatch["command"]
        watch = Stopwatch()
        for start in range(0, messages, IN_FLIGHT):
            some = range(start, min(start + IN_FLIGHT, messages))
            await asyncio.gather(*(bus.dispatch(Plain(number, PAD)) for number in some))
        return watch.stop(messages)


def _bare(path: Path, messages: int) -> Figure:
    queue = BareQueue(path)
    try:
        body = b"x" * BODY_SIZE
        watch = Stopwatch()
        for start in range(0, messages, IN_FLIGHT):
            queue.add([body] * min(IN_FLIGHT, messages - start))
        return watch.stop(messages)
    finally:
        queue.close()
