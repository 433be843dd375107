"""Port: firings, what is written down of a schedule's ticks so that each is fired once, whatever dies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from worker.messaging.parcel import Parcel
from worker.schedules.moments import Moment


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """One firing of a schedule.

    Attributes:
        schedule: its name.
        tick: for which it was called.
        ids: of the messages that it sends, in order.
        error_type: class of what the function raised; None where it did well.
        error_message: its text.
        actor: who has asked for it; None where the clock has.
    """

    schedule: str
    tick: Moment
    ids: tuple[str, ...] = ()
    error_type: str | None = None
    error_message: str | None = None
    actor: str | None = None


class Lead(msgspec.Struct, frozen=True):
    """A leadership: who holds the named lock, without which nothing is fired by the clock."""

    lock: str
    worker: str


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a schedule stands.

    Attributes:
        reached: the tick up to which all was decided.
        paused_at: since when it is paused, seconds since the epoch; None where it is not.
        paused_by: who has paused it.
        paused_reason: why.
        last: its last firing; None where there was none.
    """

    reached: Moment
    paused_at: float | None = None
    paused_by: str | None = None
    paused_reason: str | None = None
    last: Firing | None = None

    @property
    def paused(self) -> bool:
        """Whether its ticks pass by."""
        return self.paused_at is not None


class Firings(Protocol):
    """Keeps firings. Every method raises DatabaseUnavailable when the database does not answer."""

    async def begin(self, triggers: Mapping[str, str], now: Moment) -> Mapping[str, Standing]:
        """Make what is missing, and tell how schedules stand, by name.

        Args:
            triggers: text of each schedule's trigger, by its name. One that is new, or whose trigger is another than
                before, has missed nothing until ``now``.
            now: on the clock that ticks go by.
        """
        ...

    async def due(self, schedule: str, tick: Moment) -> bool:
        """Whether a tick is still to be fired: it has not been, and the schedule is not paused."""
        ...

    async def fire(self, firing: Firing, parcels: Sequence[Parcel], lead: Lead | None) -> bool:
        """Write a firing down, and what it sends into the outbox, all or nothing.

        ``lead``: who fires by the clock; None for what was asked for, which pauses do not hold up.

        Returns:
            False where nothing was written: the tick was fired before or is not to be, or the lead was lost.
        """
        ...

    async def reach(self, schedule: str, tick: Moment) -> None:
        """Note that all was decided up to a tick."""
        ...


class Leadership(Protocol):
    """Named locks: of all processes one holds a name. Both raise DatabaseUnavailable when the database does not answer."""

    async def take(self, name: str, worker: str, lease: float) -> bool:
        """Take a lock, or keep it for another ``lease`` seconds; False while another process has it."""
        ...

    async def release(self, name: str, worker: str) -> None:
        """Let go of it."""
        ...
