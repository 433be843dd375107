"""Progress of what takes longer than a second, on a terminal only, and on stderr: stdout is for results."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

PATIENCE = 1.0
"""Seconds before anything is shown."""


class Progress:
    """Counts what is done; shows nothing when it is quick or there is no terminal.

    Args:
        label: what is being done.
        total: how many there are; None when that is not known.
        shown: whether it is looked at; by default, whether stderr is a terminal.
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
        self._label = label
        self._total = total
        self._shown = sys.stderr.isatty() if shown is None else shown
        self._now = now
        self._started = now()
        self._bar: Any = None
        self._task: Any = None

    @property
    def visible(self) -> bool:
        """Whether it is on the screen."""
        return self._bar is not None

    def advance(self, count: int = 1) -> None:
        """Note that so many more are done."""
        self.done += count
        if self._bar is None and self._shown and self._now() - self._started >= PATIENCE:
            self._open()
        if self._bar is not None:
            self._bar.update(self._task, completed=self.done)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(self._label, total=self._total, completed=self.done)
        self._bar.start()


@asynccontextmanager
async def waiting(
    label: str, *, shown: bool | None = None, patience: float = PATIENCE
) -> AsyncIterator[None]:
    """Show that one long step is under way, when it is and there is a terminal."""
    opened: list[Any] = []

    def _show() -> None:
        from rich.console import Console

        opened.append(Console(stderr=True).status(label))
        opened[0].start()

    looked_at = sys.stderr.isatty() if shown is None else shown
    timer = asyncio.get_running_loop().call_later(patience, _show) if looked_at else None
    try:
        yield
    finally:
        if timer is not None:
            timer.cancel()
        for spinner in opened:
            spinner.stop()
