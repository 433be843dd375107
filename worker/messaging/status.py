"""Port: where a command stands; written in batches beside the hot path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

State = Literal["accepted", "running", "retrying", "done", "failed"]


class StatusChange(msgspec.Struct, kw_only=True, gc=False):
    """A step of one command. ``at`` is seconds since the epoch; later steps win over earlier ones.

    ``again``: it was put back from the failure store just before, so that its attempts count anew.
    """

    id: str
    type: str
    state: State
    at: float
    transport: str = ""
    queue: str = ""
    attempt: int = 1
    accepted_at: str | None = None
    started_at: float | None = None
    error_type: str | None = None
    error_message: str | None = None
    again: bool = False


class ErrorDocument(msgspec.Struct, frozen=True):
    """What went wrong, as shown."""

    type: str
    message: str


class CommandStatus(msgspec.Struct, kw_only=True, frozen=True):
    """The command document of the contract; times are RFC 3339 in UTC."""

    id: str
    type: str
    status: State
    transport: str | None
    queue: str | None
    attempts: int
    accepted_at: str | None
    started_at: str | None
    finished_at: str | None
    error: ErrorDocument | None
    paused: bool = False


class StatusRecorder(Protocol):
    """Takes changes at once and writes them later."""

    def record(self, change: StatusChange) -> None:
        """Note a change; returns at once and never raises."""
        ...


class StatusReader(Protocol):
    """Tells where commands stand."""

    async def get(self, command_id: str) -> CommandStatus | None:
        """Return the status, None when it is unknown.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        ...

    async def get_many(self, command_ids: Sequence[str]) -> dict[str, CommandStatus]:
        """Return those that are known."""
        ...


class HolderReader(StatusReader, Protocol):
    """Tells also which worker has a command."""

    async def holder(self, command_id: str) -> str:
        """Name the worker that has begun a command and not said how it ended; empty: none, or it is not known.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        ...
