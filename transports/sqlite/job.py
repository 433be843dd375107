"""What can be asked of the writer: jobs, and how several of one kind become one."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Collection, Sequence
from typing import Any, ClassVar

from transports.sqlite.numbers import Numbers


class Job:
    """One thing to do inside the writer's next transaction.

    Subclasses say how a group of them is done together. ``future`` is resolved, on the loop, after the commit.

    Attributes:
        stage: kinds are done in this order inside a transaction.
        syncs: whether the commit must reach the disk, not just the operating system.
        woken: queues in which something may have become visible.
    """

    stage: ClassVar[int] = 0
    syncs: ClassVar[bool] = True

    def __init__(self, future: asyncio.Future[Any]) -> None:
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None
        self.woken: Collection[str] = ()

    @classmethod
    def perform(
        cls, connection: sqlite3.Connection, numbers: Numbers, now: float, group: Sequence[Job]
    ) -> None:
        """Do them all, and set the ``result`` and ``woken`` of each; raises when one of them fails."""
        raise NotImplementedError

    def needs_lock(self, connection: sqlite3.Connection, numbers: Numbers, now: float) -> bool:
        """Whether there is anything to write; otherwise sets ``result``."""
        return True

    def complete(self) -> None:
        """Hand the result, or the error, to the caller that waits for it; on the loop."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)
