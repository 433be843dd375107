"""Control: keeps a worker's consumers as the stored pauses want them, and reports what it has applied."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import structlog

from worker.errors import Unavailable
from worker.messaging.identity import Clock
from worker.messaging.observing import UNHEARD, Observer
from worker.messaging.paused import PausedQueues
from worker.messaging.pausing import Pause, Pauses, Target
from worker.runtime.holding.breakers import Breakers
from worker.runtime.holding.probe import Probe
from worker.runtime.holding.ramps import Ramps
from worker.runtime.taking.consumer import Consumer

INTERVAL = 0.4
"""Seconds between looks at the version."""

_APPLY_TIMEOUT = 5.0
"""Seconds that a broker gets to take prefetched messages back; it is noted as paused before."""

_REPORT_TIMEOUT = 2.0
"""Seconds that a report may take: a handler may hold the database for long, and changes must be seen meanwhile."""

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

    Nothing may be received before ``known`` is set. A queue is noted as paused before anything is awaited,
    so that nothing starts once ``applied`` says so; the last known state holds while the database does not
    answer.

    Args:
        desired: the stored state.
        consumers: of this worker.
        targets: what each queue's types are, by consumer.
        paused: queues of this process.
        clock: seconds since the epoch.
        report: writes the heartbeat; called once before the first look, so that a pause from then on waits for this
            worker too.
        ramps: begins ramps after long pauses; None for none.
        breakers: of this worker; None for none.
        observer: hears of pauses and their ends.
        nudged: set to have it look now, by others too; None for one of its own.
    """

    def __init__(
        self,
        desired: Desired,
        consumers: Sequence[Consumer],
        targets: Mapping[Consumer, Sequence[Target]],
        paused: PausedQueues,
        clock: Clock,
        report: Report,
        ramps: Ramps | None = None,
        breakers: Breakers | None = None,
        observer: Observer = UNHEARD,
        nudged: asyncio.Event | None = None,
    ) -> None:
        self.known = asyncio.Event()
        self.applied = 0
        self.quiet = 0
        self.stale: str | None = None
        self._desired = desired
        self._consumers = consumers
        self._targets = targets
        self._paused = paused
        self._clock = clock
        self.report = report
        self._ramps = ramps
        self._breakers = breakers
        self._observer = observer
        self._nudged = nudged or asyncio.Event()
        self._earlier: dict[Consumer, Pause] = {}
        self._pauses: Pauses | None = None
        self._registered = False
        self._reported = (-1, -1)

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
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL):
                    await self._nudged.wait()

    def nudge(self) -> None:
        """Look now: something has changed."""
        self._nudged.set()

    async def look(self) -> None:
        """Look once, apply what changed or ended meanwhile, and report it."""
        self._nudged.clear()
        try:
            if not self._registered:
                await self.report()
                self._registered = True
            self._pauses = await self._read(self._pauses)
            if self._breakers is not None:
                await self._breakers.look(self._pauses)
                self._pauses = await self._read(self._pauses)
        except Unavailable as error:
            self._lost(error)
        else:
            self._found()
        if self._pauses is None:
            return
        await self._apply(self._pauses)
        self.known.set()
        reported = (self.applied, self.quiet)
        if self._reported != reported:
            try:
                async with asyncio.timeout(_REPORT_TIMEOUT):
                    await self.report()
            except TimeoutError:
                log.debug("heartbeat not written in time; trying again")
            except Unavailable as error:
                self._lost(error)
            else:
                self._reported = reported

    async def _read(self, known: Pauses | None) -> Pauses:
        if known is not None and await self._desired.version() == known.version:
            return known
        return await self._desired.read()

    async def _apply(self, pauses: Pauses) -> None:
        now = self._clock()
        # an exclusive command whose end cannot be read goes on
        exclusive = pauses.for_exclusive(now if self.stale is None else 0.0)
        found = {consumer: self._pause(pauses, consumer, now, exclusive) for consumer in self._consumers}
        probes = {one: self._probe(pauses, one, pause) for one, pause in found.items()}
        paused = {one: pause for one, pause in found.items() if pause is not None and probes[one] is None}
        pausing = [one for one in paused if not one.paused]
        resuming = [one for one in self._consumers if one.paused and one not in paused]
        for consumer in pausing:
            self._paused.queues.add(consumer.received[0])
        self._paused.strict = {one.received[0] for one, why in paused.items() if why.origin != "exclusive"}
        for consumer in self._consumers:
            consumer.waits = consumer in paused and paused[consumer].origin == "exclusive"
        await self._throttle(found, probes, now)
        for consumer in self._consumers:
            if consumer not in paused:  # also where a worker before this one had noted it
                self._paused.queues.discard(consumer.received[0])
        await asyncio.gather(*(self._settled(consumer, consumer.pause, "paused") for consumer in pausing))
        await asyncio.gather(*(self._settled(consumer, consumer.resume, "resumed") for consumer in resuming))
        for consumer in pausing:
            self._tell_paused(consumer, paused[consumer])
        for consumer in resuming:
            self._tell_resumed(consumer)
        self.applied = pauses.version
        if exclusive is not None and self._running() == 0:
            self.quiet = pauses.version

    def _tell_paused(self, consumer: Consumer, pause: Pause) -> None:
        queue, types = consumer.spec.name, list(consumer.types)
        log.info("paused", queue=queue, types=types, actor=pause.actor, reason=pause.reason)
        if self._observer.paused is not None:
            self._observer.paused(consumer.received[0], pause)

    def _tell_resumed(self, consumer: Consumer) -> None:
        log.info("resumed", queue=consumer.spec.name, types=list(consumer.types))
        if self._observer.resumed is not None:
            self._observer.resumed(consumer.received[0])

    def _running(self) -> int:
        """Commands that run, but for an exclusive one: it waits for the others, or runs alone."""
        commands = [one for one in self._consumers if self._takes_commands(one)]
        exempt = list(self._paused.exempt.values())
        return sum(one.running - exempt.count(one.received[0]) for one in commands)

    def _takes_commands(self, consumer: Consumer) -> bool:
        return any(target.kind == "command" for target in self._targets[consumer])

    async def _throttle(
        self, found: Mapping[Consumer, Pause | None], probes: Mapping[Consumer, Probe | None], now: float
    ) -> None:
        """Let what was paused begin as it must: with one message, or step by step."""
        if self._ramps is not None:
            await self._ramps.look(self._consumers)
            if not self.known.is_set():
                self._join(self._ramps, found, now)
        for consumer, pause in found.items():
            if pause is not None and pause.origin == "exclusive":
                continue  # a ramp goes on afterwards
            if pause is not None:
                consumer.pace.limit(probes[consumer])
                self._earlier[consumer] = pause
            elif consumer in self._earlier:
                earlier = self._earlier.pop(consumer)
                ramp = None if self._ramps is None else self._ramps.begin(consumer, earlier, now)
                consumer.pace.limit(ramp)

    def _join(self, ramps: Ramps, found: Mapping[Consumer, Pause | None], now: float) -> None:
        """Begin as those do that were there when a pause ended a while ago."""
        assert self._pauses is not None
        for consumer, pause in found.items():
            trails = (self._pauses.ended(one, now) for one in self._targets[consumer])
            trail = next((one for one in trails if one is not None), None)
            if pause is None and trail is not None and trail.until is not None:
                consumer.pace.limit(ramps.begin(consumer, trail, trail.until))

    def _pause(self, pauses: Pauses, consumer: Consumer, now: float, exclusive: Pause | None) -> Pause | None:
        """Why a queue is paused: one of its types is, and what is taken from it can be of any."""
        found = [pauses.of(target, now) for target in self._targets[consumer]]
        if self._takes_commands(consumer):
            found.append(exclusive)
        return min((pause for pause in found if pause is not None), key=_precedence, default=None)

    def _probe(self, pauses: Pauses, consumer: Consumer, pause: Pause | None) -> Probe | None:
        """What lets one message start of a queue that only breakers hold."""
        if pause is None or pause.origin != "breaker" or self._breakers is None:
            return None
        return self._breakers.probe(set().union(*(pauses.owners(one) for one in self._targets[consumer])))

    async def _settled(self, consumer: Consumer, apply: Callable[[], Awaitable[None]], done: str) -> None:
        bound = log.bind(transport=consumer.transport.name, queue=consumer.spec.name)
        try:
            async with asyncio.timeout(_APPLY_TIMEOUT):
                await apply()
        except TimeoutError:
            bound.warning(f"broker does not answer; its queue is {done} here all the same")
        except Unavailable as error:
            bound.warning(f"queue is {done} here; its broker is not told", error=str(error))

    def _lost(self, error: Unavailable) -> None:
        if self.stale is None:
            meanwhile = "nothing is consumed" if self._pauses is None else "the last known ones hold"
            log.warning("pauses cannot be read", meanwhile=meanwhile, error=str(error))
        self.stale = str(error)

    def _found(self) -> None:
        if self.stale is not None:
            log.info("pauses can be read again")
        self.stale = None


def _precedence(pause: Pause) -> int:
    """An operator's first, and an exclusive command before breakers: nothing is tried beside it."""
    return {"operator": 0, "exclusive": 1, "breaker": 2}[pause.origin]
