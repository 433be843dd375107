"""Exclusivity: one message of the whole fleet runs with no other command in flight, by a lock in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog

from worker.errors import Paused, Unavailable
from worker.messaging.envelope import Envelope
from worker.messaging.paused import PausedQueues
from worker.messaging.stamps import Received

LEASE = 30.0
"""Seconds after which the lock of a worker that has died is free."""

_POLL = 0.1

log = structlog.stdlib.get_logger("worker.exclusive")


class Lock(Protocol):
    """The fleet's one lock; each method may raise DatabaseUnavailable."""

    async def take(self, worker: str, message_id: str, type_name: str, lease: float) -> int | None:
        """Take it; the version that workers must have applied, None while another message has it."""
        ...

    async def extend(self, message_id: str, lease: float) -> bool:
        """Hold it longer; False when it is another's by now."""
        ...

    async def release(self, message_id: str) -> None:
        """Let go of it. Idempotent."""
        ...


class FleetExclusivity:
    """Takes the lock, waits until no worker runs a command any more, and holds the lock meanwhile.

    Args:
        lock: the stored one.
        busy: names the workers alive in which commands may run that were not stopped by a version.
        paused: queues of this process.
        worker: name of this process.
    """

    def __init__(
        self, lock: Lock, busy: Callable[[int], Awaitable[tuple[str, ...]]], paused: PausedQueues, worker: str
    ) -> None:
        self._lock = lock
        self._busy = busy
        self._paused = paused
        self._worker = worker
        self._keeping: dict[str, asyncio.Task[None]] = {}
        self._until: dict[str, float] = {}
        """When the lock of a message ends unless it is extended, by the loop's clock."""

    async def enter(self, envelope: Envelope[Any], received: Received) -> None:
        """Return when nothing else runs; see the port."""
        asked = asyncio.get_running_loop().time()
        version = await self._lock.take(self._worker, envelope.id, envelope.type, LEASE)
        if version is None:
            raise Paused
        self._paused.exempt[envelope.id] = received
        self._until[envelope.id] = asked + LEASE
        self._keeping[envelope.id] = asyncio.get_running_loop().create_task(self._keep(envelope))
        try:
            while True:
                if received in self._paused.strict:
                    raise Paused
                if not await self._busy(version):
                    break
                await asyncio.sleep(_POLL)
            if received in self._paused.strict:  # while the last one was asked
                raise Paused
        except BaseException:
            await self.leave(envelope)
            raise

    async def leave(self, envelope: Envelope[Any]) -> None:
        """Let the others run again; where the database does not answer, when the lock's time is over."""
        self._paused.exempt.pop(envelope.id, None)
        keeping = self._keeping.pop(envelope.id, None)
        if keeping is not None:
            keeping.cancel()
        self._tell_lapse(envelope)
        self._until.pop(envelope.id, None)
        try:
            await self._lock.release(envelope.id)
        except Unavailable as error:
            log.warning("exclusive lock not released; it ends by itself", within=LEASE, error=str(error))

    async def _keep(self, envelope: Envelope[Any]) -> None:
        loop = asyncio.get_running_loop()
        bound = log.bind(type=envelope.type, id=envelope.id)
        while True:
            await asyncio.sleep(LEASE / 6)
            asked = loop.time()
            try:
                if not await self._lock.extend(envelope.id, LEASE):
                    bound.error("exclusive lock lost: another message has it, and may run beside this one")
                    self._until.pop(envelope.id, None)
                    return
            except Unavailable as error:
                bound.warning("exclusive lock not extended", error=str(error))
                continue
            self._tell_lapse(envelope)
            self._until[envelope.id] = asked + LEASE

    def _tell_lapse(self, envelope: Envelope[Any]) -> None:
        """Say so where the lock's time was over meanwhile: this process stood still, or the database did not answer."""
        until = self._until.get(envelope.id)
        if until is not None and asyncio.get_running_loop().time() > until:
            log.error(
                "exclusive lock lapsed meanwhile: other commands may have run beside it",
                type=envelope.type,
                id=envelope.id,
            )
