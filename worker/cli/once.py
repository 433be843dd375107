"""Options of the command line that cannot mean two things at once."""

from __future__ import annotations

from typing import Any

import click


class Once(click.Option):
    """An option that is refused where it is given several times: the last one alone would change less than was asked."""

    def __init__(self, *names: Any, **settings: Any) -> None:
        """Take what every option takes."""
        super().__init__(*names, **{**settings, "multiple": True})

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """Read the one value; None where there is none."""
        values = super().process_value(ctx, value)
        if len(values) > 1:
            raise click.BadParameter(f"is given {len(values)} times, expected once", ctx=ctx, param=self)
        return values[0] if values else None
