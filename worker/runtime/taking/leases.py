"""Leases: what a worker holds stays its own, however long handlers run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from worker.errors import Unavailable
from worker.runtime.taking.consumer import Consumer

log = structlog.stdlib.get_logger("worker.leases")


async def extend_leases(consumers: Callable[[], Sequence[Consumer]]) -> None:
    """Extend the leases of all consumers, three times within the shortest, until cancelled."""
    while True:
        leases = [consumer.leased.lease for consumer in consumers() if consumer.leased.lease is not None]
        await asyncio.sleep(min(leases) / 3 if leases else 1.0)
        for consumer in consumers():
            try:
                await consumer.leased.extend()
            except Unavailable as error:
                log.warning("leases not extended", queue=consumer.spec.name, error=str(error))
            except Exception:  # a fault of one queue's driver must not cost the others their leases
                log.exception("leases not extended", queue=consumer.spec.name)
