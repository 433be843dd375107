"""Makes and connects a process's transports, and prepares their queues."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

import structlog

from transports.registry import create
from worker.errors import ConfigurationError, TransportUnavailable, Unavailable
from worker.messaging.identity import Clock
from worker.messaging.routing import Routes
from worker.messaging.transport import Transport
from worker.settings import Settings

_RETRY_PAUSE = 0.25

log = structlog.stdlib.get_logger("worker")


def make_transports(settings: Settings, routes: Routes, clock: Clock) -> dict[str, Transport]:
    """Make the transports that messages are routed to; nothing is opened yet.

    Raises:
        ConfigurationError: addresses or options are wrong; all faults of all transports.
    """
    made: dict[str, Transport] = {}
    faults: list[str] = []
    for name in routes.transports():
        given = settings.transports[name]
        options: dict[str, Any] = dict(given.options)
        if given.lease is not None:
            options["lease"] = given.lease
        try:
            made[name] = create(name, given.url, options, base=settings.base, clock=clock)
        except ConfigurationError as error:
            faults.extend(error.faults)
    if faults:
        raise ConfigurationError(faults)
    return made


async def connected_ones(
    transports: dict[str, Transport], stack: AsyncExitStack, timeout: float, *, absent: bool
) -> tuple[dict[str, Transport], dict[str, str]]:
    """Connect within ``timeout`` seconds each; return those that answer, and why the others do not.

    Args:
        transports: by name.
        stack: told to close what was opened.
        timeout: seconds.
        absent: leave out and log those that do not answer; else that is an error.

    Raises:
        TransportUnavailable: one does not answer; names it.
    """
    found: dict[str, Transport] = {}
    missed: dict[str, str] = {}
    for name, transport in transports.items():
        try:
            await _connect(transport, timeout)
        except Unavailable as error:
            if not absent:
                raise
            await transport.close()
            log.warning("transport does not answer; going on without it", transport=name, error=str(error))
            missed[name] = str(error)
        else:
            stack.push_async_callback(transport.close)
            found[name] = transport
    return found, missed


async def _connect(transport: Transport, timeout: float) -> None:
    """Connect, trying again until the time is over; what is told then is what the transport said last."""
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout
    said: Unavailable | None = None
    while True:
        try:
            async with asyncio.timeout_at(end):
                await transport.connect()
        except TimeoutError:  # the last try has less time than the others: that it ran out says nothing
            silent = TransportUnavailable(f"no answer within {timeout:g} s")
            raise TransportUnavailable(_named(transport.name, said or silent)) from said
        except Unavailable as error:
            said = error
            if loop.time() + _RETRY_PAUSE >= end:
                raise TransportUnavailable(_named(transport.name, error)) from error
            await asyncio.sleep(_RETRY_PAUSE)
        else:
            return


def _named(name: str, error: Unavailable) -> str:
    """What a transport said, with its name in front where it does not say it itself."""
    text = str(error)
    return text if text.startswith(f"transport {name}:") else f"transport {name}: {text}"


async def missing_queues(transports: Mapping[str, Transport], routes: Routes) -> list[str]:
    """Name the queues that are missing on these transports."""
    return [
        f"queue {queue} on {name}"
        for name, specs in routes.queues.items()
        if name in transports
        for queue in await transports[name].missing(specs)
    ]


async def create_queues(transports: Mapping[str, Transport], routes: Routes) -> None:
    """Create the queues that are missing on these transports.

    Raises:
        ConfigurationError: a queue is there with other arguments.
    """
    for name, specs in routes.queues.items():
        if name in transports:
            await transports[name].setup(specs)
