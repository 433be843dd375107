"""Whole numbers on the command line, within bounds."""

from __future__ import annotations

from typing import Any

import click


class Whole(click.IntRange):
    """An option's value as a whole number; what is none, or out of bounds, is told with what is allowed."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read what was typed."""
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            bounds = f"of {self.min} or more" if self.max is None else f"from {self.min} to {self.max}"
            self.fail(f"{str(value)[:64]!r}: expected a whole number {bounds}", param, ctx)
