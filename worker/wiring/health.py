"""Health: whether everything a process needs answers, by asking it."""

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
    """Ask database and transports, all at once."""
    parts: dict[str, Callable[[], Awaitable[None]]] = {"database": service.state.database.ping}
    parts |= {f"transport.{name}": transport.ping for name, transport in service.brokers.transports.items()}
    reasons = await asyncio.gather(*(_reason(name, ping) for name, ping in parts.items()))
    status = {name: reason is None for name, reason in zip(parts, reasons, strict=True)}
    status |= {f"transport.{name}": False for name in service.brokers.absent}
    return HealthReport(
        healthy=all(status.values()),
        status=status,
        info={"plugins": list(service.process.registry.plugins)},
        process={"memory_used": resident()},
        reasons=[*(reason for reason in reasons if reason is not None), *service.brokers.absent.values()],
    )


async def answers(service: Service) -> bool:
    """Tell whether database and transports all answer now, within ``PING_TIMEOUT`` seconds; never raises."""
    try:
        return (await health(service)).healthy
    except Exception:  # a driver's fault: it is not known, so there may be an outage
        return False


async def _reason(name: str, ping: Callable[[], Awaitable[None]]) -> str | None:
    try:
        async with asyncio.timeout(PING_TIMEOUT):
            await ping()
    except TimeoutError:
        return f"{name}: no answer within {PING_TIMEOUT:g} s"
    except Unavailable as error:
        return f"{name}: {error}"
    return None
