"""Durations on the command line: seconds, or ``90s``, ``15m``, ``2h``, ``7d``."""

from __future__ import annotations

import re

import click

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([smhd]?)", re.IGNORECASE)


def parse_duration(text: str) -> float:
    """Read seconds.

    Raises:
        ValueError: it is no duration.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r}: expected seconds, 0 or more, or a duration like 90s, 15m, 2h or 7d")
    return float(match[1]) * _UNITS[match[2].lower()]


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic only in click's later versions
    """An option's value in seconds."""

    name = "seconds"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read what was typed."""
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
