"""The fleet part: which workers live, what is paused, and what runs alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from worker.messaging.exclusive import Exclusivity
from worker.messaging.paused import PausedQueues
from worker.runtime.holding.exclusive import FleetExclusivity
from worker.state.exclusive import SqlExclusive
from worker.state.pauses import SqlPauses
from worker.state.workers import Heartbeat, Workers
from worker.wiring.parts.process import Process
from worker.wiring.parts.state import State
from worker.wiring.pausing import LIVE, Pausing

_KEEP = 3600.0
"""Seconds for which a worker is remembered after its last heartbeat."""


class Fleet(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What the processes of an application agree on.

    Attributes:
        process: this one.
        workers: heartbeats.
        pauses: the stored rules.
        pausing: changes them, and tells how far workers are with them.
        paused: queues of this process.
        exclusivity: lets a message run alone in the fleet.
    """

    process: Process
    workers: Workers
    pauses: SqlPauses
    pausing: Pausing
    paused: PausedQueues
    exclusivity: Exclusivity

    async def beat(
        self,
        types: tuple[str, ...],
        applied_version: int = 0,
        troubles: tuple[str, ...] = (),
        quiet_version: int = 0,
    ) -> None:
        """Tell the fleet that this process lives, what it takes, which pauses it has applied, and what is wrong.

        ``quiet_version`` is that as of which no command has been running here.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        beat = Heartbeat(
            id=self.process.name,
            host=self.process.machine.host,
            pid=self.process.machine.pid,
            started_at=self.process.started_at,
            applied_version=applied_version,
            types=types,
            troubles=troubles,
            quiet_version=quiet_version,
        )
        await self.workers.beat(beat)

    async def live(self) -> Sequence[Heartbeat]:
        """The last heartbeats of the workers that are alive.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        return await self.workers.live(LIVE)

    async def is_alive(self, worker: str) -> bool:
        """Whether it is this process, or a worker of this name that has shown itself lately.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        return worker == self.process.name or any(one.id == worker for one in await self.live())

    async def prune(self, keep: float) -> None:
        """Forget workers that are long gone; see ``Prunes``."""
        await self.workers.prune(_KEEP)


@asynccontextmanager
async def opened_fleet(
    process: Process, state: State, exclusivity: Exclusivity | None
) -> AsyncIterator[Fleet]:
    """Make what the fleet agrees by; ``exclusivity``: None for what takes the lock in the database."""
    workers, pauses, paused = Workers(state.database), SqlPauses(state.database), PausedQueues()
    pausing = Pausing(process.registry, process.routes, pauses, workers, state.database.time)
    yield Fleet(
        process=process,
        workers=workers,
        pauses=pauses,
        pausing=pausing,
        paused=paused,
        exclusivity=exclusivity
        or FleetExclusivity(SqlExclusive(state.database), pausing.busy, paused, process.name),
    )
