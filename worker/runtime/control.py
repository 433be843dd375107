"""Control: keeps a worker's consumers as the stored pauses want them, and reports what it has applied."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import structlog

from worker.errors import Unavailable
from worker.messaging.gate import Gate
from worker.messaging.identity import Clock
from worker.messaging.pausing import Pause, Pauses, Target
from worker.runtime.consumer import Consumer
from worker.runtime.ramps import Ramps

INTERVAL = 0.4
"""Seconds between looks at the version."""

_APPLY_TIMEOUT = 5.0
"""Seconds that a broker gets to take prefetched messages back; the gate is closed before."""

log = structlog.stdlib.get_logger("worker.control")

Report = Callable[[], Awaitable[None]]
"""Writes this worker's heartbeat."""


class Desired(Protocol):
    """What the fleet shall do, as stored; each method may raise DatabaseUnavailable."""

    async def version(self) -> int:
        """Return the version; cheap, to be asked often."""
        ...

    async def read(self) -> Pauses:
        """Return all rules."""
        ...


class Control:
    """Applies the stored pauses to one worker's consumers.

    Nothing may be received before ``known`` is set. The gate of a queue is closed before anything is awaited,
    so that nothing starts once ``applied`` says so; the last known state holds while the database does not
    answer.

    Args:
        desired: the stored state.
        consumers: of this worker.
        targets: what each queue's types are, by consumer.
        gate: of this process.
        clock: seconds since the epoch.
        report: writes the heartbeat; called once before the first look, so that whoever pauses from then on
            waits for this worker too.
        wait: sleeps until something may have changed, at most the given seconds.
        ramps: begins ramps after long pauses; None for none.
    """

    def __init__(
        self,
        desired: Desired,
        consumers: Sequence[Consumer],
        targets: Mapping[Consumer, Sequence[Target]],
        gate: Gate,
        clock: Clock,
        report: Report,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        ramps: Ramps | None = None,
    ) -> None:
        self.known = asyncio.Event()
        self.applied = 0
        self.stale: str | None = None
        self._desired = desired
        self._consumers = consumers
        self._targets = targets
        self._gate = gate
        self._clock = clock
        self.report = report
        self._wait = wait
        self._ramps = ramps
        self._held: dict[Consumer, Pause] = {}
        self._pauses: Pauses | None = None
        self._registered = False
        self._reported = -1

    @property
    def reasons(self) -> list[str]:
        """Why this worker may not do what is wanted of it; empty while it does."""
        if self.stale is None:
            return []
        what = (
            f"the pauses as of version {self.applied} hold" if self.known.is_set() else "nothing is consumed"
        )
        return [f"pauses: {self.stale}; {what}"]

    async def run(self) -> None:
        """Look and apply until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:  # a fault here must not leave the worker deaf to pauses for good
                log.exception("pauses not applied; trying again")
            await self._wait(INTERVAL)

    async def look(self) -> None:
        """Look once, apply what changed or ended meanwhile, and report it."""
        try:
            if not self._registered:
                await self.report()
                self._registered = True
            if self._pauses is None or await self._desired.version() != self._pauses.version:
                self._pauses = await self._desired.read()
        except Unavailable as error:
            self._lost(error)
        else:
            self._found()
        if self._pauses is None:
            return
        await self._apply(self._pauses)
        self.known.set()
        if self._reported != self.applied:
            try:
                await self.report()
            except Unavailable as error:
                self._lost(error)
            else:
                self._reported = self.applied

    async def _apply(self, pauses: Pauses) -> None:
        now = self._clock()
        wanted = {consumer: self._pause(pauses, consumer, now) for consumer in self._consumers}
        closing = [one for one, pause in wanted.items() if pause is not None and not one.paused]
        opening = [one for one, pause in wanted.items() if pause is None and one.paused]
        for consumer in closing:
            self._gate.closed.add(consumer.received[0])
        if self._ramps is not None:
            await self._ramps.look(self._consumers)
            for consumer in opening:
                self._ramps.begin(consumer, self._held[consumer], now)
        self._held = {one: pause for one, pause in wanted.items() if pause is not None}
        for consumer in opening:
            self._gate.closed.discard(consumer.received[0])
        await asyncio.gather(*(self._settled(consumer, consumer.pause()) for consumer in closing))
        await asyncio.gather(*(self._settled(consumer, consumer.resume()) for consumer in opening))
        for consumer in closing:
            pause = wanted[consumer]
            assert pause is not None
            log.info(
                "paused",
                queue=consumer.spec.name,
                types=list(consumer.types),
                actor=pause.actor,
                reason=pause.reason,
            )
        for consumer in opening:
            log.info("resumed", queue=consumer.spec.name, types=list(consumer.types))
        self.applied = pauses.version

    def _pause(self, pauses: Pauses, consumer: Consumer, now: float) -> Pause | None:
        """Why a queue is paused: one of its types is, and what is taken from it can be of any."""
        found = (pauses.of(target, now) for target in self._targets[consumer])
        return next((pause for pause in found if pause is not None), None)

    async def _settled(self, consumer: Consumer, applying: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(_APPLY_TIMEOUT):
                await applying
        except TimeoutError:
            log.warning("broker does not answer; the queue's gate is set anyway", queue=consumer.spec.name)
        except Unavailable as error:
            log.warning(
                "the queue's gate is set, its broker not told", queue=consumer.spec.name, error=str(error)
            )

    def _lost(self, error: Unavailable) -> None:
        if self.stale is None:
            meanwhile = "nothing is consumed" if self._pauses is None else "the last known ones hold"
            log.warning("pauses cannot be read", meanwhile=meanwhile, error=str(error))
        self.stale = str(error)

    def _found(self) -> None:
        if self.stale is not None:
            log.info("pauses can be read again")
        self.stale = None
