"""Latency: from ``dispatch`` to the handler's start at a low rate, in this process and in another."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from statistics import quantiles

import uvloop

from benchmarks.application import STAMPS, Timed, delays, tally
from benchmarks.result import Result
from benchmarks.scale import Scale
from benchmarks.site import Site
from worker.messaging.bus import Bus
from worker.runtime.options import ConsumeOptions
from worker.wiring.consuming import make_consumers

_PATIENCE = 30.0


def run(scale: Scale, folder: Path) -> list[Result]:
    """Measure both; the figures of a round are its median and its 99th percentile."""
    same, other = [], []
    for number in range(scale.rounds):
        same.append(uvloop.run(_same(folder / f"same{number}", scale)))
        other.append(uvloop.run(_other(folder / f"other{number}", scale)))
    return [*_results("latency, same process", same), *_results("latency, other process", other)]


def _results(name: str, rounds: list[list[float]]) -> list[Result]:
    cuts = [quantiles([delay * 1000 for delay in figures], n=100, method="inclusive") for figures in rounds]
    return [
        Result(name=f"{name}, p{percent}", unit="ms", ours=[cut[percent - 1] for cut in cuts])
        for percent in (50, 99)
    ]


async def _same(folder: Path, scale: Scale) -> list[float]:
    delays.clear()
    async with Site(folder).service() as service:
        worker = make_consumers(service, ConsumeOptions()).worker
        tally.expect(scale.probes, worker.stop)
        working = asyncio.create_task(worker.run(30.0))
        await _send(service.buses.dispatch["command"], scale, file=False)
        async with asyncio.timeout(_PATIENCE):
            await working
        for consumer in worker.consumers:
            await consumer.close(1.0)
    return list(delays)


async def _other(folder: Path, scale: Scale) -> list[float]:
    site = Site(folder)
    stamps = folder / STAMPS
    async with site.service() as service:
        bus = service.buses.dispatch["command"]
        with site.process("consume"):
            await bus.dispatch(Timed(time.monotonic(), file=True))
            await _lines(stamps, 1)  # it has started
            await _send(bus, scale, file=True)
            found = await _lines(stamps, 1 + scale.probes)
    return [float(line) for line in found[1:]]


async def _send(bus: Bus, scale: Scale, *, file: bool) -> None:
    for _ in range(scale.probes):
        await asyncio.sleep(scale.pace)
        await bus.dispatch(Timed(time.monotonic(), file))


async def _lines(path: Path, count: int) -> list[str]:
    async with asyncio.timeout(_PATIENCE):
        while True:
            found = path.read_text().split("\n")[:-1] if path.exists() else []
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)
