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
from worker.runtime.holding.circuit import Circuit
from worker.runtime.holding.probe import Probe
from worker.texts import storable, told

LEASE = 30.0
"""Seconds that a worker has to try a message before another may."""

_REASON = 500
"""Characters of why a breaker opened."""

log = structlog.stdlib.get_logger("worker.breaker")


class Strain(msgspec.Struct, frozen=True):
    """A failure, as breakers see it.

    Attributes:
        breaker: name of the one that takes it upon itself; None where none does.
        error: as told to a person.
    """

    breaker: str | None
    error: str = ""


class Fuses(Protocol):
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


def circuits_of(registry: Registry) -> dict[str, Circuit]:
    """Make the circuits of an application's breakers, by name: that of the dependency, or of the handler."""
    named: dict[str, tuple[Breaker, list[str]]] = {}
    for type_name, handlers in registry.handlers.items():
        for handler in handlers:
            if handler.breaker is not None:
                name = handler.breaker.dependency or handler.name
                named.setdefault(name, (handler.breaker, []))[1].append(type_name)
    return {
        name: Circuit(name, breaker, tuple(dict.fromkeys(types))) for name, (breaker, types) in named.items()
    }


class Breakers:
    """Counts failures, opens breakers for the fleet, tries messages, and closes them again.

    Args:
        registry: the declared handlers.
        fuses: the stored state.
        worker: name of this worker.
        types: that this worker takes.
        clock: seconds since the epoch.
        changed: called when its consumers are to be looked at now.
    """

    def __init__(
        self,
        registry: Registry,
        fuses: Fuses,
        worker: str,
        types: Sequence[str],
        clock: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self.probes: dict[str, Probe] = {}
        self._changed = changed
        self._circuits = circuits_of(registry)
        self._by_handler: Mapping[str, Circuit] = {
            handler.name: self._circuits[handler.breaker.dependency or handler.name]
            for handlers in registry.handlers.values()
            for handler in handlers
            if handler.breaker is not None
        }
        self._by_type: dict[str, list[Circuit]] = {}
        for circuit in self._circuits.values():
            for type_name in circuit.types:
                self._by_type.setdefault(type_name, []).append(circuit)
        self._fuses = fuses
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
        return bool(self._circuits)

    def succeeded(self, type_name: str) -> None:
        """Note that all handlers of a message went well."""
        for circuit in self._by_type.get(type_name, ()):
            circuit.succeeded(self._clock())

    def failed(self, message_id: str, failures: Sequence[tuple[str | None, BaseException]]) -> bool:
        """Note failures; say whether the message is spared, as all of them are a matter of breakers."""
        return self.strained(message_id, self.strains(failures))

    def strains(self, failures: Sequence[tuple[str | None, BaseException]]) -> tuple[Strain, ...]:
        """Say which breakers take these failures upon themselves."""
        found = []
        for name, error in failures:
            circuit = self._by_handler.get(name or "")
            counts = circuit is not None and circuit.breaker.counts(error)
            found.append(
                Strain(circuit.name, told(error)) if circuit is not None and counts else Strain(None)
            )
        return tuple(found)

    def strained(self, message_id: str, strains: Sequence[Strain]) -> bool:
        """Note failures of a message that was handled here or in another process; as ``failed``."""
        spared = bool(strains)
        for strain in strains:
            circuit = self._circuits.get(strain.breaker or "")
            if circuit is None:
                spared = False
                continue
            if circuit.name in self._open:
                continue
            if circuit.failed(self._clock()):
                self._trip(circuit, strain.error)
            elif not circuit.excuses(message_id):
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
            if name in self._circuits:
                self._circuits[name].reset()
        self._open = frozenset(stored)
        for name, well in list(self._verdicts.items()):
            await self._conclude(self._circuits[name], well=well)
        now = self._clock()
        for name, due in stored.items():
            circuit = self._circuits.get(name)
            if circuit is None or not self._types.intersection(circuit.types):
                continue
            mine = name in self.probes
            if (not mine and due <= now) or (mine and due - now < LEASE / 2):
                await self._try(circuit)

    def probe(self, owners: set[str]) -> Probe | None:
        """What lets this worker try a message that these breakers hold, while it may; None while it may not.

        With several it is that of the first; the others have theirs when that one is closed.
        """
        mine = sorted(owners & self.probes.keys())
        return self.probes[mine[0]] if len(mine) == len(owners) and mine else None

    async def close(self) -> None:
        """Wait for what is being stored."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _try(self, circuit: Circuit) -> None:
        if not await self._fuses.claim(circuit.name, self._worker, LEASE):
            probe = self.probes.get(circuit.name)
            if probe is not None and not probe.running:
                del self.probes[circuit.name]
            return
        if circuit.name not in self.probes:
            log.info("one message is tried", breaker=circuit.name, types=list(circuit.types))
            self.probes[circuit.name] = Probe(lambda well: self._ended(circuit.name, well=well))

    def _ended(self, name: str, *, well: bool) -> None:
        self._verdicts[name] = well
        self._changed()

    async def _conclude(self, circuit: Circuit, *, well: bool) -> None:
        if well:
            await self._fuses.close(circuit.name)
            log.info("closed: it works again", breaker=circuit.name, types=list(circuit.types))
        else:
            await self._fuses.postpone(circuit.name, self._worker, circuit.breaker)
            log.warning("still open: the message that was tried failed", breaker=circuit.name)
        self._verdicts.pop(circuit.name, None)
        self.probes.pop(circuit.name, None)

    def _trip(self, circuit: Circuit, error: str) -> None:
        circuit.reset()
        self._open |= {circuit.name}
        reason = storable(f"{circuit.name}: {error}", _REASON)
        task = asyncio.get_running_loop().create_task(self._store(circuit, reason))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _store(self, circuit: Circuit, reason: str) -> None:
        try:
            if await self._fuses.open(circuit.name, circuit.breaker, circuit.types, reason):
                log.warning("open", breaker=circuit.name, types=list(circuit.types), reason=reason)
        except Unavailable as error:
            log.warning("a breaker could not be stored", breaker=circuit.name, error=str(error))
            self._open -= {circuit.name}
        except Exception:
            log.exception("a breaker could not be stored", breaker=circuit.name)
            self._open -= {circuit.name}
        self._changed()
