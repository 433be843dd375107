"""Triggers: what says when a schedule's ticks are, by a cron expression in a zone or by a length of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, tzinfo
from typing import Protocol

import msgspec

from worker.schedules.cron import following, preceding
from worker.schedules.moments import SECOND, Moment
from worker.schedules.zones import local_time, moment_in


class Trigger(Protocol):
    """Says when ticks are: always the same ones."""

    @property
    def zone(self) -> tzinfo:
        """The zone in which its ticks are told."""
        ...

    def after(self, moment: Moment) -> Moment | None:
        """Return the first tick later than that; None where there is none."""
        ...

    def back(self, moment: Moment) -> Iterator[Moment]:
        """Give the tick at that moment, where there is one, and those before it, latest first."""
        ...


class Cron(msgspec.Struct, frozen=True):
    """Ticks by the calendar and the clocks of a zone.

    Attributes:
        fields: the five of a cron expression.
        zone: whose local time it means.
    """

    fields: str
    zone: tzinfo = UTC

    def __str__(self) -> str:
        """Say when, and where."""
        return f"{self.fields} {self.zone}"

    def after(self, moment: Moment) -> Moment | None:
        """Return the first tick later than that; None where there is none."""
        try:
            for local in following(self.fields, local_time(moment, self.zone)[0]):
                tick = moment_in(self.zone, local)
                if tick > moment:
                    return tick
        except (OverflowError, ValueError):  # beyond the years that there are
            pass
        return None

    def back(self, moment: Moment) -> Iterator[Moment]:
        """Give the tick at that moment, where there is one, and those before it, latest first."""
        local, back = local_time(moment, self.zone)
        last = None
        for time in preceding(self.fields, local + back):
            tick = moment_in(self.zone, time)
            if tick <= moment and tick != last:  # all times of a gap are one tick
                yield tick
                last = tick


class Every(msgspec.Struct, frozen=True):
    """Ticks at a distance, counted from the epoch.

    Attributes:
        distance: between two ticks, in microseconds.
    """

    distance: Moment

    def __str__(self) -> str:
        """Say how often."""
        return f"every {self.distance / SECOND:g} s"

    @property
    def zone(self) -> tzinfo:
        """UTC: it goes by no local time."""
        return UTC

    def after(self, moment: Moment) -> Moment | None:
        """Return the first tick later than that."""
        return (moment // self.distance + 1) * self.distance

    def back(self, moment: Moment) -> Iterator[Moment]:
        """Give the tick at that moment, where there is one, and those before it, latest first."""
        tick = moment // self.distance * self.distance
        while True:
            yield tick
            tick -= self.distance
