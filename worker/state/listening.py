"""Listens to what other processes tell over PostgreSQL, on a connection of its own; polling makes up for what is missed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from worker.errors import Unavailable
from worker.state.address import Address
from worker.state.waits import Waits

_PAUSE = 2.0
"""Seconds before a lost connection is opened again."""

_PROVE = 30.0
"""Seconds between proofs that the connection is alive."""

_ANSWER = 5.0

log = structlog.stdlib.get_logger("worker.state")


async def listen(address: Address, waits: Waits, channel: str, heard: Callable[[], None]) -> None:
    """Call ``heard`` for each notice of a channel, until cancelled; a lost connection is opened again."""
    from worker.state.postgresql_connection import opener

    connect = opener(address.dsn, address.shown, waits)
    while True:
        try:
            connection = await connect()
        except Unavailable as error:
            log.debug("not listening to the database", error=str(error))
        else:
            await _listen(connection, channel, heard)
        await asyncio.sleep(_PAUSE)


async def _listen(connection: Any, channel: str, heard: Callable[[], None]) -> None:
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _connection: lost.set())
    try:
        await connection.add_listener(channel, lambda *_notice: heard())
        heard()  # for what was told before
        while not lost.is_set():
            try:
                async with asyncio.timeout(_PROVE):
                    await lost.wait()
            except TimeoutError:
                await connection.execute("SELECT 1", timeout=_ANSWER)
    except Exception as error:  # the driver's many ways to say that it lost its server
        log.debug("listening to the database ended", error=repr(error))
    finally:
        connection.terminate()
