"""Consume: messages a second through the whole chain, next to bare claims and deletes of 100."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.application import Plain, Tracked, tally
from benchmarks.bare_queue import BATCH, BareQueue
from benchmarks.pad import PAD
from benchmarks.result import Figure, Goal, Result, paired
from benchmarks.scale import Scale
from benchmarks.site import Site
from benchmarks.stopwatch import Stopwatch
from worker.cli.loop import run as run_program
from worker.runtime.options import ConsumeOptions
from worker.wiring.consuming import make_consumers

BODY_SIZE = 520
"""Bytes of the CloudEvent around 200 bytes of data; the bare queue's bodies are as long."""

GOALS = (Goal(0.5),)


def run(scale: Scale, folder: Path) -> list[Result]:
    """Measure without and with the commands' status kept."""
    rounds = range(scale.rounds)
    results = []
    for name, kind in (("consume", Plain), ("consume, tracked", Tracked)):
        pairs = []
        for number in rounds:
            ours = run_program(_ours(folder / f"{kind.__name__}{number}", kind, scale.messages))
            pairs.append((ours, _bare(folder / f"{kind.__name__}{number}" / "bare.db", scale.messages)))
        results.append(paired(name, "messages/s", pairs, GOALS if kind is Plain else ()))
    return results


async def _ours(folder: Path, kind: type[Plain | Tracked], messages: int) -> Figure:
    async with Site(folder).service() as service:
        bus = service.buses.dispatch["command"]
        for start in range(0, messages, 1000):
            some = range(start, min(start + 1000, messages))
            await asyncio.gather(*(bus.dispatch(kind(number, PAD)) for number in some))
        await service.status.writer.flush()
        worker = make_consumers(service, ConsumeOptions()).worker
        tally.expect(messages, worker.stop)
        watch = Stopwatch()
        await worker.run(30.0)  # returns when the last settlement is confirmed
        await service.status.writer.flush()
        figure = watch.stop(messages)
        for consumer in worker.consumers:
            await consumer.close(1.0)
    return figure


def _bare(path: Path, messages: int) -> Figure:
    queue = BareQueue(path)
    try:
        body = b"x" * BODY_SIZE
        for start in range(0, messages, BATCH * 10):
            queue.add([body] * min(BATCH * 10, messages - start))
        watch = Stopwatch()
        done = queue.drain()
        return watch.stop(done)
    finally:
        queue.close()
