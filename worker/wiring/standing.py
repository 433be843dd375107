"""Where a command stands, also when the worker that handled it died before it could say so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import msgspec

from worker.errors import Unavailable
from worker.messaging.abilities import Countable, Findable, TellsEmpty
from worker.messaging.failure import FailureStore
from worker.messaging.identity import Clock
from worker.messaging.status import CommandStatus, HolderReader, StatusChange, StatusRecorder
from worker.messaging.transport import Depth, Transport

PATIENCE = 2.0
"""Seconds that a command must have stood still before its queue is asked: far beyond the writing of statuses."""


class Standing:
    """Reads statuses, and completes those that a crash left behind.

    A worker acks a message and writes ``done`` a moment later; when it is killed in between, ``done`` is never written.
    A command that stood still, is gone from its queue, is not parked and is not in the failure store has been handled:
    it counts as done from the time at which that is found out. Where the transport cannot look messages up, the inbox
    tells it of handlers that used their session; for the others the queue must hold nothing at all.

    A command that a worker has begun does not run any more when that worker is dead. Unless it is known to have been
    handled, it is shown as accepted: its message waits to be handled again.

    Args:
        reader: of what was written.
        recorder: takes what was found out.
        transports: by name.
        failures: the failure store.
        clock: seconds since the epoch.
        paused: whether messages of a type wait for a resume.
        finished: whether the work of every handler of a type on the message of an id is committed.
        alive: whether a worker of that name lives.
        parked: whether a message waits in the outbox, to be sent or parked.
    """

    def __init__(
        self,
        reader: HolderReader,
        recorder: StatusRecorder,
        transports: Mapping[str, Transport],
        failures: FailureStore,
        clock: Clock,
        paused: Callable[[str], Awaitable[bool]],
        finished: Callable[[str, str], Awaitable[bool]],
        alive: Callable[[str], Awaitable[bool]],
        parked: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._reader = reader
        self._recorder = recorder
        self._transports = transports
        self._failures = failures
        self._clock = clock
        self._paused = paused
        self._finished = finished
        self._alive = alive
        self._parked = parked

    async def get(self, command_id: str) -> CommandStatus | None:
        """Return the status, None when it is unknown.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        found = await self._completed(command_id)
        if (
            found is None
            or found.status not in {"accepted", "retrying"}
            or not await self._paused(found.type)
        ):
            return found
        return msgspec.structs.replace(found, paused=True)

    async def _completed(self, command_id: str) -> CommandStatus | None:
        found = await self._reader.get(command_id)
        if found is None or not self._stands_still(found):
            return found
        if await self._parked(command_id):  # asked before its queue too: it may be on its way there
            return found
        orphaned = found.status == "running" and await self._orphaned(command_id)
        if await self._held(found, orphaned=orphaned):
            return msgspec.structs.replace(found, status="accepted") if orphaned else found
        again = await self._reader.get(command_id)
        if again != found or await self._failures.get(command_id) is not None:
            return again
        if await self._parked(command_id):
            return again
        self._recorder.record(
            StatusChange(
                id=found.id,
                type=found.type,
                state="done",
                at=self._clock(),
                transport=found.transport or "",
                queue=found.queue or "",
                attempt=max(found.attempts, 1),
                accepted_at=found.accepted_at,
            )
        )
        return await self._reader.get(command_id)

    async def get_many(self, command_ids: Sequence[str]) -> dict[str, CommandStatus]:
        """Return those that are known."""
        found = [await self.get(command_id) for command_id in command_ids]
        return {status.id: status for status in found if status is not None}

    def _stands_still(self, status: CommandStatus) -> bool:
        times = [_seconds(at) for at in (status.accepted_at, status.started_at) if at]
        ended = status.status in {"done", "failed"}
        # a clock that was set back meanwhile puts them into the future: not recent either
        return not ended and bool(times) and abs(self._clock() - max(times)) > PATIENCE

    async def _orphaned(self, command_id: str) -> bool:
        """Whether the worker that has begun it is known, and not alive."""
        holder = await self._reader.holder(command_id)
        return bool(holder) and not await self._alive(holder)

    async def _held(self, status: CommandStatus, *, orphaned: bool) -> bool:
        """Whether the message is still on its queue, or may be."""
        transport: object = self._transports.get(status.transport or "")
        try:
            if not isinstance(transport, Findable) or not status.queue:
                if await self._finished(status.type, status.id):
                    return False
                # a worker that died soon enough has not even written that it had begun
                asked = orphaned or status.status != "running"
                return not (asked and await _drained(transport, status.queue or ""))
            return status.id in await transport.holds(status.queue, [status.id])
        except Unavailable:
            return True


async def _drained(transport: object, queue: str) -> bool:
    """Whether the broker says for certain that a queue holds nothing: neither ready, nor handed out, nor delayed."""
    if isinstance(transport, TellsEmpty):
        return await transport.is_empty(queue)
    if not isinstance(transport, Countable):
        return False
    depth = (await transport.depth([queue])).get(queue, Depth())
    # positions count what is handed out among what is ready: it is not committed
    return (depth.ready, depth.delayed) == (0, 0) and (depth.in_flight == 0 or bool(depth.positions))


def _seconds(text: str) -> float:
    """Read a time; one that another producer wrote in some other form counts as long ago."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return 0.0
