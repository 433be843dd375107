"""The status part: where commands stand, written a moment later and read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from worker.errors import Unavailable
from worker.messaging.status import StatusRecorder
from worker.state.status_reader import StatusReader
from worker.state.status_writer import StatusWriter
from worker.wiring.parts.brokers import Brokers
from worker.wiring.parts.fleet import Fleet
from worker.wiring.parts.process import Process
from worker.wiring.parts.sending import Sending
from worker.wiring.parts.state import State
from worker.wiring.standing import Standing

_FLUSH = 5.0
"""Seconds that the last changes have to be written when the process ends."""


class Status(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Where commands stand.

    Attributes:
        writer: takes changes.
        reader: of what was written.
        standing: tells it, also of what a crash left behind.
        recorder: takes the steps of tracked commands; None where the settings keep none.
    """

    writer: StatusWriter
    reader: StatusReader
    standing: Standing
    recorder: StatusRecorder | None

    async def prune(self, keep: float) -> None:
        """Forget commands that ended long ago; see ``Prunes``."""
        await self.reader.prune(keep)


@asynccontextmanager
async def opened_status(
    process: Process, state: State, brokers: Brokers, sending: Sending, fleet: Fleet
) -> AsyncIterator[Status]:
    """Keep writing changes; at the end, within some seconds, the last ones."""
    writer = StatusWriter(state.database, process.name)
    reader = StatusReader(state.database, writer)

    async def finished(type_name: str, message_id: str) -> bool:
        """Whether the inbox has the work of every handler on the message."""
        handlers = process.registry.handlers.get(type_name, ())
        return bool(handlers) and all([await state.inbox.knows(message_id, one.name) for one in handlers])

    standing = Standing(
        reader,
        writer,
        brokers.transports,
        state.failures,
        process.clock,
        fleet.pausing.is_paused,
        finished,
        fleet.is_alive,
        sending.outbox.holds,
    )
    recorder = writer if process.settings.status.track else None
    writing = asyncio.create_task(writer.run())
    try:
        yield Status(writer=writer, reader=reader, standing=standing, recorder=recorder)
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        try:
            async with asyncio.timeout(_FLUSH):
                await writer.flush()
        except (TimeoutError, Unavailable):
            pass
