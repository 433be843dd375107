"""Measures the worker on PostgreSQL: consume with and without the commands' status kept, and publish."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from benchmarks.application import Plain, Tracked, app, tally
from benchmarks.consume import BODY_SIZE
from benchmarks.contest.broker import broker
from benchmarks.contest.cores import Cores
from benchmarks.pad import PAD
from benchmarks.postgres.bare_queue import BATCH, BareQueue
from benchmarks.publish import IN_FLIGHT
from benchmarks.result import Figure, Result, paired
from benchmarks.scale import Scale
from benchmarks.stopwatch import Stopwatch
from worker.cli.loop import run as run_program
from worker.runtime.options import ConsumeOptions
from worker.settings import DatabaseSettings, Settings, TransportSettings
from worker.wiring.consuming import make_consumers
from worker.wiring.service import Service, opened


def run(
    measures: Sequence[str], scale: Scale, folder: Path, *, peers: bool
) -> tuple[list[Result], dict[str, str]]:
    """Measure what was asked for, state and queues in one database; return the results, and where they come from.

    Raises:
        NoBroker: there is none here; says how to get one.
    """
    cores = Cores()
    results: list[Result] = []
    with broker("postgres", cores) as server:
        if "consume" in measures:
            for name, kind in (("consume", Plain), ("consume, tracked", Tracked)):
                pairs = []
                for _ in range(scale.rounds):
                    with server.fresh() as url:
                        ours = run_program(_consume(url, folder, kind, scale.messages))
                        pairs.append((ours, run_program(_drain(url, scale.messages))))
                results.append(paired(f"{name} / asyncpg", "messages/s", pairs))
        if "publish" in measures:
            pairs = []
            for _ in range(scale.rounds):
                with server.fresh() as url:
                    ours = run_program(_publish(url, folder, scale.messages))
                    pairs.append((ours, run_program(_add(url, scale.messages))))
            results.append(paired("publish / asyncpg", "messages/s", pairs))
        facts = {"postgres": server.how, "pinned": cores.describe(broker=server.how.startswith("started"))}
    return results, facts


def _service(url: str, folder: Path) -> AbstractAsyncContextManager[Service]:
    settings = Settings(
        base=folder,
        database=DatabaseSettings(url=url),
        transports={"postgres": TransportSettings(url=url)},
        routing={"*": "postgres"},
    )
    return opened(settings, app.registry())


async def _send(service: Service, kind: type[Plain | Tracked], messages: int) -> None:
    bus = service.buses.dispatch["command"]
    for start in range(0, messages, IN_FLIGHT):
        some = range(start, min(start + IN_FLIGHT, messages))
        await asyncio.gather(*(bus.dispatch(kind(number, PAD)) for number in some))


async def _consume(url: str, folder: Path, kind: type[Plain | Tracked], messages: int) -> Figure:
    async with _service(url, folder) as service:
        await _send(service, kind, messages)
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


async def _drain(url: str, messages: int) -> Figure:
    queue = await BareQueue.open(url)
    try:
        await _fill(queue, messages, BATCH * 10)
        await queue.analyse()
        watch = Stopwatch()
        return watch.stop(await queue.drain())
    finally:
        await queue.close()


async def _publish(url: str, folder: Path, messages: int) -> Figure:
    async with _service(url, folder) as service:
        watch = Stopwatch()
        await _send(service, Plain, messages)
        return watch.stop(messages)


async def _add(url: str, messages: int) -> Figure:
    queue = await BareQueue.open(url)
    try:
        watch = Stopwatch()
        await _fill(queue, messages, IN_FLIGHT)
        return watch.stop(messages)
    finally:
        await queue.close()


async def _fill(queue: BareQueue, messages: int, together: int) -> None:
    body = b"x" * BODY_SIZE
    for start in range(0, messages, together):
        await queue.add([body] * min(together, messages - start))
