"""Breakers of one worker: open when handlers fail too much, and try a message when it is time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec
import structlog

from worker.errors import Unavailable
from worker.messaging.breaker import Breaker
from worker.messaging.declaration import Registry
from worker.messaging.pausing import Pauses
from worker.runtime.holding.breaker_count import BreakerCount
from worker.runtime.holding.probe import Probe
from worker.texts import storable, told

LEASE = 30.0
"""Seconds that a worker has to try a message before another may."""

_REASON = 500
"""Characters of why a breaker opened."""

log = structlog.stdlib.get_logger("worker.breaker")


class BreakerFailure(msgspec.Struct, frozen=True):
    """A failure, as breakers see it.

    Attributes:
        breaker: name of the one that takes it upon itself; None where none does.
        error: as told to a person.
    """

    breaker: str | None
    error: str = ""


class OpenBreakers(Protocol):
    """The fleet's open breakers, as stored; each method may raise DatabaseUnavailable."""

    async def open(self, name: str, breaker: Breaker, types: Sequence[str], reason: str) -> bool:
        """Hold the types; False when it is open already."""
        ...

    async def claim(self, name: str, worker: str, lease: float) -> bool:
        """Take it upon ``worker`` to try a message; False when another does."""
        ...

    async def postpone(self, name: str, worker: str, breaker: Breaker) -> None:
        """Try the next message later."""
        ...

    async def close(self, name: str) -> None:
        """Hold nothing any more."""
        ...


def counts_of(registry: Registry) -> dict[str, BreakerCount]:
    """Make the counts of an application's breakers, by name: that of the dependency, or of the handler."""
    named: dict[str, tuple[Breaker, list[str]]] = {}
    for type_name, handlers in registry.handlers.items():
        for handler in handlers:
            if handler.breaker is not None:
                name = handler.breaker.dependency or handler.name
                named.setdefault(name, (handler.breaker, []))[1].append(type_name)
    return {
        name: BreakerCount(name, breaker, tuple(dict.fromkeys(types)))
        for name, (breaker, types) in named.items()
    }


class Breakers:
    """Counts failures, opens breakers for the fleet, tries messages, and closes them again.

    Args:
        registry: the declared handlers.
        stored: which breakers are open in the fleet.
        worker: name of this worker.
        types: that this worker takes.
        clock: seconds since the epoch.
        changed: called when its consumers are to be looked at now.
    """

    def __init__(
        self,
        registry: Registry,
        stored: OpenBreakers,
        worker: str,
        types: Sequence[str],
        clock: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self.probes: dict[str, Probe] = {}
        self._changed = changed
        self._counts = counts_of(registry)
        self._by_handler: Mapping[str, BreakerCount] = {
            handler.name: self._counts[handler.breaker.dependency or handler.name]
            for handlers in registry.handlers.values()
            for handler in handlers
            if handler.breaker is not None
        }
        self._by_type: dict[str, list[BreakerCount]] = {}
        for count in self._counts.values():
            for type_name in count.types:
                self._by_type.setdefault(type_name, []).append(count)
        self._stored = stored
        self._worker = worker
        self._types = frozenset(types)
        self._clock = clock
        self._open: frozenset[str] = frozenset()
        self._until: dict[str, float] = {}
        self._verdicts: dict[str, bool] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def any(self) -> bool:
        """Whether the application has declared one."""
        return bool(self._counts)

    def succeeded(self, type_name: str) -> None:
        """Note that all handlers of a message went well."""
        for count in self._by_type.get(type_name, ()):
            count.succeeded(self._clock())

    def failed(self, message_id: str, failures: Sequence[tuple[str | None, BaseException]]) -> bool:
        """Note failures; say whether the message is spared, as all of them are a matter of breakers."""
        return self.note(message_id, self.failures(failures))

    def failures(self, failures: Sequence[tuple[str | None, BaseException]]) -> tuple[BreakerFailure, ...]:
        """Say which breakers take these failures upon themselves."""
        found = []
        for name, error in failures:
            count = self._by_handler.get(name or "")
            counts = count is not None and count.breaker.counts(error)
            found.append(
                BreakerFailure(count.name, told(error))
                if count is not None and counts
                else BreakerFailure(None)
            )
        return tuple(found)

    def note(self, message_id: str, failures: Sequence[BreakerFailure]) -> bool:
        """Note failures of a message that was handled here or in another process; answers as ``failed``."""
        spared = bool(failures)
        for failure in failures:
            count = self._counts.get(failure.breaker or "")
            if count is None:
                spared = False
                continue
            if count.name in self._open:
                continue
            if count.failed(self._clock()):
                self._trip(count, failure.error)
            elif not count.excuses(message_id):
                spared = False
        return spared

    async def look(self, pauses: Pauses) -> None:
        """See which are open, report how tries ended, and try a message where it is time.

        Raises:
            Unavailable: the database does not answer.
        """
        stored = pauses.breakers()
        for name in self._open - stored.keys():  # closed, or overridden by an operator
            self.probes.pop(name, None)
            self._verdicts.pop(name, None)
            if name in self._counts:
                self._counts[name].reset()
        self._open = frozenset(stored)
        for name, well in list(self._verdicts.items()):
            await self._conclude(self._counts[name], well=well)
        now = self._clock()
        for name, due in stored.items():
            count = self._counts.get(name)
            if count is None or not self._types.intersection(count.types):
                continue
            mine = name in self.probes
            if (not mine and due <= now) or (mine and due - now < LEASE / 2):
                await self._try(count)

    def probe(self, owners: set[str]) -> Probe | None:
        """What lets this worker try a message that these breakers hold, while it may; None while it may not.

        With several it is that of the first; the others have theirs when that one is closed.
        """
        mine = sorted(owners & self.probes.keys())
        return self.probes[mine[0]] if len(mine) == len(owners) and mine else None

    async def close(self) -> None:
        """Wait for what is being stored."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _try(self, count: BreakerCount) -> None:
        if not await self._stored.claim(count.name, self._worker, LEASE):
            probe = self.probes.get(count.name)
            if probe is not None and not probe.running:
                del self.probes[count.name]
            return
        if count.name not in self.probes:
            log.info("breaker tries one message", breaker=count.name, types=list(count.types))
            self.probes[count.name] = Probe(lambda well: self._ended(count.name, well=well))

    def _ended(self, name: str, *, well: bool) -> None:
        self._verdicts[name] = well
        self._changed()

    async def _conclude(self, count: BreakerCount, *, well: bool) -> None:
        if well:
            await self._stored.close(count.name)
            log.info("breaker closed: what it calls works again", breaker=count.name, types=list(count.types))
        else:
            await self._stored.postpone(count.name, self._worker, count.breaker)
            log.warning("breaker stays open: the message that was tried failed", breaker=count.name)
        self._verdicts.pop(count.name, None)
        self.probes.pop(count.name, None)

    def _trip(self, count: BreakerCount, error: str) -> None:
        count.reset()
        self._open |= {count.name}
        reason = storable(f"{count.name}: {error}", _REASON)
        task = asyncio.get_running_loop().create_task(self._store(count, reason))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _store(self, count: BreakerCount, reason: str) -> None:
        try:
            if await self._stored.open(count.name, count.breaker, count.types, reason):
                log.warning(
                    "breaker opened: its types are paused",
                    breaker=count.name,
                    types=list(count.types),
                    reason=reason,
                )
        except Unavailable as error:
            log.warning("a breaker could not be stored", breaker=count.name, error=str(error))
            self._open -= {count.name}
        except Exception:
            log.exception("a breaker could not be stored", breaker=count.name)
            self._open -= {count.name}
        self._changed()
