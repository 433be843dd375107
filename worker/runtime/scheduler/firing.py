"""Firing: from a tick to messages in the outbox, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
import structlog

from worker.errors import WorkerError
from worker.messaging.bus import wrap
from worker.messaging.declaration import Registry
from worker.messaging.envelope import Envelope
from worker.messaging.firing import Firing, Firings, Lead
from worker.messaging.identity import Clock, id_of_tick
from worker.messaging.parcel import Parcel
from worker.messaging.schedule import Schedule
from worker.runtime.scheduler.calling import Calling
from worker.runtime.scheduler.returned import messages_of
from worker.schedules.moments import Moment, time_of
from worker.texts import message_of, told, type_of

log = structlog.stdlib.get_logger("worker.scheduler")


class Leaving(Protocol):
    """What leaves after a commit, in order: for brokers, and to be handled here."""

    @property
    def parcels(self) -> Sequence[Parcel]:
        """Encoded, for the outbox."""
        ...

    @property
    def inline(self) -> Sequence[Envelope[Any]]:
        """To be handled at once, after the commit."""
        ...


class Sends(Protocol):
    """The dispatching side of the buses."""

    async def collect(self, envelopes: Sequence[Envelope[Any]]) -> Leaving:
        """Take messages through their buses' chains without sending them; raises what a middleware raised."""
        ...

    async def handle_inline(self, envelopes: Sequence[Envelope[Any]]) -> None:
        """Handle what is routed inline; a failure is logged, not raised."""
        ...


class Fired(msgspec.Struct, frozen=True):
    """What a firing came to: what it sent, or what went wrong."""

    ids: tuple[str, ...]
    error: Exception | None = None


class Fires:
    """Fires ticks of schedules.

    Args:
        registry: the declared types.
        firings: where firings are kept.
        calling: calls the functions.
        sends: takes what they return.
        clock: seconds since the epoch.
    """

    def __init__(
        self, registry: Registry, firings: Firings, calling: Calling, sends: Sends, clock: Clock
    ) -> None:
        self._registry = registry
        self._firings = firings
        self._calling = calling
        self._sends = sends
        self._clock = clock

    def over(self, firings: Firings) -> Fires:
        """Do the same, and keep firings elsewhere."""
        return Fires(self._registry, firings, self._calling, self._sends, self._clock)

    async def fire(
        self, schedule: Schedule, tick: Moment, *, lead: Lead | None, actor: str | None = None
    ) -> Fired | None:
        """Call the function for a tick and send what it returns; None where the tick was fired before, or is not to be.

        What goes wrong in it is written down as this firing's, and not tried again.

        Args:
            schedule: whose tick it is.
            tick: for which it fires.
            lead: who fires by the clock; None for what was asked for.
            actor: who has asked for it.

        Raises:
            DatabaseUnavailable: the database does not answer; trying again fires nothing twice.
        """
        if lead is not None and not await self._firings.due(schedule.name, tick):
            return None
        inline: Sequence[Envelope[Any]] = ()
        parcels: Sequence[Parcel] = ()
        ids: tuple[str, ...] = ()
        failed: Exception | None = None
        try:
            returned = await self._calling.call(schedule, tick)
            envelopes = self._wrapped(schedule, tick, returned)
            if envelopes:
                leaving = await self._calling.bounded(schedule.name, lambda: self._sends.collect(envelopes))
                parcels, inline = leaving.parcels, leaving.inline
            ids = tuple(envelope.id for envelope in envelopes)
        except Exception as error:
            failed = error
        firing = Firing(
            schedule=schedule.name,
            tick=tick,
            ids=ids,
            error_type=None if failed is None else type_of(failed),
            error_message=None if failed is None else message_of(failed),
            actor=actor,
        )
        if not await self._firings.fire(firing, parcels, lead):
            return None
        if failed is not None:
            shown = time_of(tick).isoformat()
            trace = None if isinstance(failed, WorkerError) else failed  # what is ours says all in its text
            log.error(
                "schedule failed", schedule=schedule.name, tick=shown, error=told(failed), exc_info=trace
            )
            return Fired((), failed)
        if inline:
            await self._handle(schedule, inline)
        return Fired(ids)

    def _wrapped(self, schedule: Schedule, tick: Moment, returned: object) -> list[Envelope[Any]]:
        """Put what was returned into envelopes, whose ids follow from application, schedule, tick and place."""
        application = self._registry.application
        return [
            wrap(
                message,
                declared,
                application,
                self._clock,
                id=id_of_tick(max(0, tick // 1000), application, schedule.name, tick, place),
            )
            for place, (message, declared) in enumerate(messages_of(self._registry, schedule.name, returned))
        ]

    async def _handle(self, schedule: Schedule, inline: Sequence[Envelope[Any]]) -> None:
        try:
            await self._calling.bounded(schedule.name, lambda: self._sends.handle_inline(inline))
        except Exception as error:
            log.error("what a schedule sent inline has failed", schedule=schedule.name, error=told(error))
