"""What an application declares about a schedule, and about lines for the system's crontab."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from worker.schedules.missed import Missed
from worker.schedules.trigger import Trigger


class Schedule(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A declared schedule: a function that is called at each tick, and says what is sent then.

    Attributes:
        name: of the schedule.
        call: the function.
        trigger: when its ticks are.
        cron: the expression as it was given; None where ``every`` was.
        every: seconds between two ticks; None where an expression was given.
        timezone: name of the zone whose local time the expression means.
        missed: what becomes of ticks that no scheduler was there for.
        wants_tick: whether the function takes the tick.
        is_async: whether it runs on the loop; else in a thread.
    """

    name: str
    call: Callable[..., Any]
    trigger: Trigger
    cron: str | None
    every: float | None
    timezone: str
    missed: Missed
    wants_tick: bool
    is_async: bool


class CrontabLines(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A function that gives lines for the system's crontab.

    Attributes:
        name: its module and qualified name.
        call: takes nothing and returns lines, ``m h dom mon dow command``.
    """

    name: str
    call: Callable[[], list[str]]
