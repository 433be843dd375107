"""Idle: memory and processor time of a ``worker consume`` that waits, and how long it takes to start."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import uvloop

from benchmarks.application import STAMPS, Timed
from benchmarks.result import Result
from benchmarks.scale import Scale
from benchmarks.site import Site

_PATIENCE = 30.0


def run(scale: Scale, folder: Path) -> list[Result]:
    """Measure one process in each round."""
    rounds = [uvloop.run(_round(folder / str(number), scale)) for number in range(scale.rounds)]
    names = (("start to first message handled", "s"), ("idle memory", "MB"), ("idle processor", "%"))
    return [
        Result(name=name, unit=unit, ours=[figures[place] for figures in rounds])
        for place, (name, unit) in enumerate(names)
    ]


async def _round(folder: Path, scale: Scale) -> tuple[float, float, float]:
    site = Site(folder)
    stamps = folder / STAMPS
    async with site.service() as service:
        await service.buses.dispatch["command"].dispatch(Timed(time.monotonic(), file=True))
    started = time.monotonic()
    with site.process("consume") as process:
        async with asyncio.timeout(_PATIENCE):
            while not stamps.exists():  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.005)
        first = time.monotonic() - started
        await asyncio.sleep(scale.idle / 5)
        before = _used(process.pid)
        await asyncio.sleep(scale.idle)
        share = (_used(process.pid) - before) / scale.idle * 100
        return first, _resident(process.pid), share


def _used(pid: int) -> float:
    """Processor seconds of a process; the system counts in hundredths."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
