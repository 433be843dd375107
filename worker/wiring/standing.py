"""Where a command stands, also when the worker that handled it died before it could say so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import msgspec

from worker.errors import Unavailable
from worker.messaging.failure import FailureStore
from worker.messaging.identity import Clock
from worker.messaging.status import CommandStatus, StatusChange, StatusReader, StatusRecorder
from worker.messaging.transport import Findable, Transport

PATIENCE = 2.0
"""Seconds that a command must have stood still before its queue is asked: far beyond the writing of statuses."""


class Standing:
    """Reads statuses, and completes those that a crash left behind.

    A worker acks a message and writes ``done`` a moment later; killed in between, nobody would ever write
    it. A command that stood still, is gone from its queue and is not in the failure store has been
    handled: it counts as done from when that is found out. Where the transport cannot look messages up, the
    inbox tells of handlers that used their session; of others nobody can, and the status stays as it was written.

    Args:
        reader: of what was written.
        recorder: takes what was found out.
        transports: by name.
        failures: the failure store.
        clock: seconds since the epoch.
        paused: whether messages of a type wait for a resume.
        finished: whether the work of every handler of a type on the message of an id is committed.
    """

    def __init__(
        self,
        reader: StatusReader,
        recorder: StatusRecorder,
        transports: Mapping[str, Transport],
        failures: FailureStore,
        clock: Clock,
        paused: Callable[[str], Awaitable[bool]],
        finished: Callable[[str, str], Awaitable[bool]],
    ) -> None:
        self._reader = reader
        self._recorder = recorder
        self._transports = transports
        self._failures = failures
        self._clock = clock
        self._paused = paused
        self._finished = finished

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
        if found is None or not self._stands_still(found) or await self._held(found):
            return found
        again = await self._reader.get(command_id)
        if again != found or await self._failures.get(command_id) is not None:
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

    async def _held(self, status: CommandStatus) -> bool:
        """Whether the message is still on its queue, or may be, as far as anybody can tell."""
        transport: object = self._transports.get(status.transport or "")
        if not isinstance(transport, Findable) or not status.queue:
            return not await self._finished(status.type, status.id)
        try:
            return status.id in await transport.holds(status.queue, [status.id])
        except Unavailable:
            return True


def _seconds(text: str) -> float:
    """Read a time; one that another producer wrote in some other form counts as long ago."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
