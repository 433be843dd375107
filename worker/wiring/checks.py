"""What an application says of its own health."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

import structlog

from worker.messaging.declaration import HealthCheck
from worker.messaging.own_context import OwnContext
from worker.raising import as_exception, is_failure
from worker.runtime.threads import Threads
from worker.texts import told, type_of

log = structlog.stdlib.get_logger("worker.health")

CHECK_TIMEOUT = 2.0
"""Seconds that a check is waited for."""


class Checks:
    """Asks an application's health checks, each in a task of its own.

    A check that does not end is waited for once, and not asked again before it has ended: it holds one task, or one
    thread, however often the health is asked for.

    Args:
        checks: in order of declaration.
        threads: for those that are plain functions; one for each.
    """

    def __init__(self, checks: Sequence[HealthCheck], threads: Threads) -> None:
        self._checks = checks
        self._threads = threads
        self._running: dict[str, asyncio.Task[str | None]] = {}

    async def reasons(self) -> dict[str, str | None]:
        """Ask all at once: by name, why it is not well, None where it is."""
        running = {check.name: self._asked(check) for check in self._checks}
        if running:
            await asyncio.wait(running.values(), timeout=CHECK_TIMEOUT)
        return {name: _verdict(name, task) for name, task in running.items()}

    def close(self) -> None:
        """Wait for none that still runs."""
        for task in self._running.values():
            task.cancel()
        self._threads.close()

    def _asked(self, check: HealthCheck) -> asyncio.Task[str | None]:
        task = self._running.get(check.name)
        if task is None:
            self._running[check.name] = task = asyncio.ensure_future(self._ask(check))
            task.add_done_callback(partial(self._ended, check.name))
        return task

    def _ended(self, name: str, _task: asyncio.Task[str | None]) -> None:
        del self._running[name]

    async def _ask(self, check: HealthCheck) -> str | None:
        try:
            if check.is_async:
                said = await OwnContext(check.call())
            else:
                said, error = await self._threads.run(check.call)
                if error is not None:
                    raise as_exception(error)
        except BaseException as error:
            if not is_failure(error):
                raise
            log.warning("health check failed", check=check.name, error=told(error))
            return f"{check.name}: its check raised {type_of(error)}"
        return (
            None
            if said is True
            else f"{check.name}: its check says {'no' if said is False else 'neither yes nor no'}"
        )


def _verdict(name: str, task: asyncio.Task[str | None]) -> str | None:
    if not task.done() or task.cancelled():
        return f"{name}: its check has not answered within {CHECK_TIMEOUT:g} s"
    return task.result()
