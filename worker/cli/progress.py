"""Progress of what takes longer than a second, on a terminal only, and on stderr: stdout is for results."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import click

PATIENCE = 1.0
"""Seconds before anything is shown."""

_REFRESH = 0.1
_CLEAR = "\r\x1b[2K"


class Progress:
    """Counts what is done; shows nothing when it is quick or nobody looks.

    Args:
        label: what is being done.
        total: how many there are; None when that is not known.
        shown: whether there is somebody to look; by default, whether stderr is a terminal.
        now: monotonic seconds.
    """

    def __init__(
        self,
        label: str,
        total: int | None = None,
        *,
        shown: bool | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.done = 0
        self.visible = False
        self._label = label
        self._total = total
        self._shown = sys.stderr.isatty() if shown is None else shown
        self._now = now
        self._started = now()
        self._drawn = 0.0

    def advance(self, count: int = 1) -> None:
        """Note that so many more are done."""
        self.done += count
        if not self._shown or self._now() - self._started < PATIENCE:
            return
        if not self.visible or self._now() - self._drawn >= _REFRESH:
            self._draw()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.visible:
            self.visible = False
            click.echo(_CLEAR, err=True, nl=False)

    def _draw(self) -> None:
        self.visible = True
        self._drawn = self._now()
        count = str(self.done) if self._total is None else f"{self.done}/{self._total}"
        click.echo(f"{_CLEAR}{self._label} {count}  {self._drawn - self._started:.0f} s", err=True, nl=False)


@asynccontextmanager
async def waiting(
    label: str, *, shown: bool | None = None, patience: float = PATIENCE
) -> AsyncIterator[None]:
    """Say that one long step is under way, when it is and somebody looks."""
    said: list[str] = []

    def _show() -> None:
        said.append(label)
        click.echo(f"{_CLEAR}{label} ...", err=True, nl=False)

    looked_at = sys.stderr.isatty() if shown is None else shown
    timer = asyncio.get_running_loop().call_later(patience, _show) if looked_at else None
    try:
        yield
    finally:
        if timer is not None:
            timer.cancel()
        if said:
            click.echo(_CLEAR, err=True, nl=False)
