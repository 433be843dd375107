"""Health: whether everything a process needs answers, by asking it, and whether the application says that it is well."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from worker.errors import Unavailable
from worker.messaging.health import HealthReport
from worker.runtime.limits import resident
from worker.wiring.service import Service

PING_TIMEOUT = 2.0
"""Seconds that one part may take to answer."""


async def health(service: Service) -> HealthReport:
    """Ask database and transports, and the application's own checks, all at once."""
    parts, checks = await asyncio.gather(_parts(service), service.checks.reasons())
    reasons = {**parts, **checks}
    return HealthReport(
        healthy=not any(reasons.values()),
        status={name: reason is None for name, reason in reasons.items()},
        info={"plugins": list(service.process.registry.plugins)},
        process={"memory_used": resident()},
        reasons=[reason for reason in reasons.values() if reason is not None],
    )


async def troubles(service: Service) -> list[str]:
    """Say which of database and transports do not answer, and why: without them nothing is done.

    An application's own checks are left out: what is not well may still be what a command mends.
    """
    return [reason for reason in (await _parts(service)).values() if reason is not None]


async def answers(service: Service) -> bool:
    """Tell whether database and transports all answer now, within ``PING_TIMEOUT`` seconds; never raises."""
    try:
        return not await troubles(service)
    except Exception:  # a driver's fault: it is not known, so there may be an outage
        return False


async def _parts(service: Service) -> dict[str, str | None]:
    """Database and transports, each with the reason why it is not healthy, None where it is."""
    parts: dict[str, Callable[[], Awaitable[None]]] = {"database": service.state.database.ping}
    parts |= {f"transport.{name}": transport.ping for name, transport in service.brokers.transports.items()}
    reasons = await asyncio.gather(*(_reason(name, ping) for name, ping in parts.items()))
    absent = {f"transport.{name}": why for name, why in service.brokers.absent.items()}
    return {**dict(zip(parts, reasons, strict=True)), **absent}


async def _reason(name: str, ping: Callable[[], Awaitable[None]]) -> str | None:
    try:
        async with asyncio.timeout(PING_TIMEOUT):
            await ping()
    except TimeoutError:
        return f"{name}: no answer within {PING_TIMEOUT:g} s"
    except Unavailable as error:
        return f"{name}: {error}"
    return None
