"""Missed ticks: what becomes of those that no scheduler was there for."""

from __future__ import annotations

from itertools import islice, takewhile
from typing import Literal, NamedTuple

from worker.schedules.moments import Moment
from worker.schedules.trigger import Trigger

Missed = Literal["skip", "once", "all"]
"""None of them, the last one, or all, as far as there are no more than ``MOST``."""

MOST = 1_000
"""Missed ticks that ``all`` fires: the last ones."""


class CaughtUp(NamedTuple):
    """What is fired of missed ticks.

    Attributes:
        ticks: in order.
        dropped: whether ``all`` were more than it fires.
    """

    ticks: list[Moment]
    dropped: bool


def caught_up(trigger: Trigger, missed: Missed, since: Moment, until: Moment) -> CaughtUp:
    """Choose what is fired of the ticks after ``since``, up to ``until``."""
    if missed == "skip" or until <= since:
        return CaughtUp([], False)
    there = takewhile(lambda tick: tick > since, trigger.back(until))
    if missed == "once":
        return CaughtUp(list(islice(there, 1)), False)
    found = list(islice(there, MOST + 1))
    return CaughtUp(found[MOST - 1 :: -1] if len(found) > MOST else found[::-1], len(found) > MOST)
