"""Suspicion: what is known of a message that was handed out before, and what follows from the deaths it saw.

Pure rules, and the port of the store that remembers. A message is suspect when it was in hand at two deaths: from then
on it is handled alone. It is guilty when it died twice alone. Nothing is known of what is handed out for the first time,
and nothing is written of it.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable
from typing import Protocol

import msgspec

SUSPECT = 2
"""Deaths with a message in hand after which it is handled alone."""
GUILTY = 2
"""Deaths with nothing else in hand after which a message is guilty."""
HOPELESS = 20
"""Deaths that are certain after which a message is guilty though it was never seen alone: far above bad luck."""
_KEPT = 3 * HOPELESS
"""Deaths that are remembered; the last ones."""
STALE = 15.0
"""Seconds without a heartbeat after which a worker elsewhere counts as dead."""


class Holder(msgspec.Struct, frozen=True):
    """A worker process that has a message in hand.

    Attributes:
        name: one a process and life.
        place: machine and space of process ids, where ``pid`` means something.
        pid: process id there.
        born: when the system started it, in its own measure; 0 where the system does not tell.
    """

    name: str
    place: str
    pid: int
    born: int = 0


class Death(msgspec.Struct, frozen=True, kw_only=True):
    """An end of a worker with a message in hand.

    Attributes:
        at: when it was found out, seconds since the epoch.
        worker: its name; empty where that is not known.
        alone: whether it had nothing else in hand.
        certain: whether it is known to have died; else it may have lost the message only.
        how: what more is known, for a person.
    """

    at: float
    worker: str
    alone: bool = False
    certain: bool = False
    how: str = ""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one message.

    Attributes:
        deaths: oldest first.
        holder: who has begun it beside others and has not ended it.
    """

    deaths: tuple[Death, ...] = ()
    holder: Holder | None = None


class Treatment(enum.Enum):
    """How a message is to be handled."""

    ORDINARY = "ordinary"
    ALONE = "alone"
    GUILTY = "guilty"
    """Not at all: it goes to the failure store."""


class Fate(enum.Enum):
    """What is known of a worker."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


def treatment_of(record: Record) -> Treatment:
    """Say what follows from the deaths."""
    deaths = record.deaths
    if sum(death.alone for death in deaths) >= GUILTY or sum(death.certain for death in deaths) >= HOPELESS:
        return Treatment.GUILTY
    return Treatment.ALONE if len(deaths) >= SUSPECT else Treatment.ORDINARY


def handed(record: Record | None, me: Holder, now: float, fate: Callable[[Holder], Fate]) -> Record:
    """Say what is known of a message that ``me`` was handed and that was handed out before.

    A worker that is asked for the first time presumes a death. Later only a holder that did not end it counts, and not one that
    lives: it has lost its lease or its connection.
    """
    if record is None:
        presumed = Death(at=now, worker="", how="an earlier worker had it, and died or lost it")
        return Record(deaths=(presumed,))
    holder = record.holder
    if holder is None or holder.name == me.name:
        return Record(deaths=record.deaths)
    found = fate(holder)
    if found is Fate.ALIVE:
        return Record(deaths=record.deaths)
    certain = found is Fate.DEAD
    how = f"its worker {'died' if certain else 'died or lost it'} with it in hand"
    death = Death(at=now, worker=holder.name, certain=certain, how=how)
    return Record(deaths=(*record.deaths[-_KEPT:], death))


def fate(holder: Holder, seen_at: float | None, now: float, lives: Callable[[Holder], bool | None]) -> Fate:
    """Say what became of a holder.

    Args:
        holder: who had a message in hand.
        seen_at: its last heartbeat; None where there is none: it has said goodbye, or died before the first.
        now: seconds since the epoch.
        lives: looks at the process, None where it is of another place.
    """
    here = lives(holder)
    if here is not None:
        return Fate.ALIVE if here else Fate.DEAD
    return Fate.DEAD if seen_at is None or now - seen_at > STALE else Fate.UNKNOWN


def name_of(transport: str, queue: str, delivery_id: str) -> str:
    """Make the name under which a message of a queue is remembered."""
    text = f"{transport}\0{queue}\0{delivery_id}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=24).hexdigest()


class Suspects(Protocol):
    """Remembers; each method may raise DatabaseUnavailable."""

    async def handed(self, name: str) -> Record:
        """Note that this worker begins a message that was handed out before; what is known of it."""
        ...

    async def put(self, name: str, record: Record | None) -> None:
        """Know this of a message from now on; None: it was ended, forget it. Not where another worker has it now."""
        ...
