"""The failed part: what can be done with failed messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from worker.failed.service import FailedService
from worker.wiring.parts.process import Process
from worker.wiring.parts.sending import Sending
from worker.wiring.parts.state import State
from worker.wiring.parts.status import Status


@asynccontextmanager
async def opened_failed(
    process: Process, state: State, sending: Sending, status: Status
) -> AsyncIterator[FailedService]:
    """Make the service over the failure store."""
    yield FailedService(
        state.failures,
        sending.publish,
        process.registry,
        sending.serializer,
        status.writer,
        transports=process.settings.transports,
        queues={spec.name for specs in process.routes.queues.values() for spec in specs},
        routes=process.routes,
        clock=process.clock,
    )
