"""The health part: whether everything a process needs answers, by asking it, and whether the application says that it is well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from worker.errors import Unavailable
from worker.messaging.declaration import HealthCheck
from worker.messaging.health import HealthReport
from worker.runtime.limits import resident
from worker.runtime.threads import Threads
from worker.wiring.checks import Checks
from worker.wiring.parts.brokers import Brokers
from worker.wiring.parts.process import Process
from worker.wiring.parts.state import State

if TYPE_CHECKING:
    from worker.mongo.connection import Connection

PING_TIMEOUT = 2.0
"""Seconds that one part may take to answer."""


class Health:
    """Asks a process's parts whether they are well.

    Args:
        process: whose plugins are told.
        state: the database.
        documents: MongoDB, None where nothing is kept there.
        brokers: the transports.
        checks: the application's own.
    """

    def __init__(
        self, process: Process, state: State, documents: Connection | None, brokers: Brokers, checks: Checks
    ) -> None:
        self._process = process
        self._state = state
        self._documents = documents
        self._brokers = brokers
        self._checks = checks

    async def report(self) -> HealthReport:
        """Ask databases and transports, and the application's own checks, all at once."""
        parts, documents, checks = await asyncio.gather(
            self._parts(), self._kept_documents(), self._checks.reasons()
        )
        reasons = {**parts, **documents, **checks}
        return HealthReport(
            healthy=not any(reasons.values()),
            status={name: reason is None for name, reason in reasons.items()},
            info={"plugins": list(self._process.registry.plugins)},
            process={"memory_used": resident()},
            reasons=[reason for reason in reasons.values() if reason is not None],
        )

    async def troubles(self) -> list[str]:
        """Say which of database and transports do not answer or take nothing, and why: without them nothing is done.

        An application's own checks are left out: what is not well may still be what a command mends. So is MongoDB, which
        some resources need and no message.
        """
        return [reason for reason in (await self._parts()).values() if reason is not None]

    async def answers(self) -> bool:
        """Tell whether database and transports all answer now, within ``PING_TIMEOUT`` seconds; never raises."""
        try:
            return not await self.troubles()
        except Exception:  # a driver's fault: it is not known, so there may be an outage
            return False

    async def _kept_documents(self) -> dict[str, str | None]:
        if self._documents is None:
            return {}
        return {"documents": await _reason("documents", self._documents.ping)}

    async def _database(self) -> None:
        await self._state.database.prove_well(PING_TIMEOUT / 2)

    async def _parts(self) -> dict[str, str | None]:
        """Database and transports, each with the reason why it is not healthy, None where it is."""
        pings: dict[str, Callable[[], Awaitable[None]]] = {"database": self._database}
        pings |= {f"transport.{name}": one.ping for name, one in self._brokers.transports.items()}
        reasons = await asyncio.gather(*(_reason(name, ping) for name, ping in pings.items()))
        absent = {f"transport.{name}": why for name, why in self._brokers.absent.items()}
        return {**dict(zip(pings, reasons, strict=True)), **absent}


@asynccontextmanager
async def opened_health(
    process: Process, state: State, documents: Connection | None, brokers: Brokers
) -> AsyncIterator[Health]:
    """Make what asks; the application's checks that are plain functions have threads of their own."""
    declared = process.registry.entries_of(HealthCheck)
    checks = Checks(declared, Threads(max(1, len(declared))))
    try:
        yield Health(process, state, documents, brokers, checks)
    finally:
        checks.close()


async def _reason(name: str, ping: Callable[[], Awaitable[None]]) -> str | None:
    try:
        async with asyncio.timeout(PING_TIMEOUT):
            await ping()
    except TimeoutError:
        return f"{name}: no answer within {PING_TIMEOUT:g} s"
    except Unavailable as error:
        return f"{name}: {error}"
    return None
