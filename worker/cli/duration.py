"""Durations on the command line: seconds, or ``90s``, ``15m``, ``2h``, ``7d``."""

from __future__ import annotations

import re

import click

from worker.seconds import CENTURY, seconds_of

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([smhd]?)", re.IGNORECASE)


def parse_duration(text: str, longest: float = CENTURY) -> float:
    """Read seconds.

    Raises:
        ValueError: it is no duration, or longer than ``longest`` seconds.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r}: expected seconds, 0 or more, or a duration like 90s, 15m, 2h or 7d")
    try:
        return seconds_of(float(match[1]) * _UNITS[match[2].lower()], longest)
    except ValueError:
        raise ValueError(f"{text[:64]!r}: expected at most {longest:.0f} seconds") from None


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic only in click's later versions
    """An option's value in seconds.

    Args:
        longest: seconds; what is longer is refused.
    """

    name = "seconds"

    def __init__(self, longest: float = CENTURY) -> None:
        self._longest = longest

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read what was typed."""
        try:
            return parse_duration(str(value), self._longest)
        except ValueError as error:
            self.fail(str(error), param, ctx)
