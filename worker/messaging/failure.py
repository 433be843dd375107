"""Port: the failure store, and the documents it shows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import msgspec

GROUP_KEY: Final = re.compile("[0-9a-f]{12}")
"""What the key of a group looks like."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One failed attempt; ``at`` is seconds since the epoch. ``handler`` is None where none was reached."""

    attempt: int
    at: float
    worker: str
    handler: str | None
    error_type: str
    error_message: str
    trace: str


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it enters the store.

    Attributes:
        id: the message's id; for what has none, derived from its bytes, so that a repeat is the same row.
        type: wire name as read, None where it could not be read.
        transport: where it was taken from.
        queue: likewise.
        failed_at: seconds since the epoch.
        attempts: how many it had.
        decoded: whether ``body`` is the envelope of a declared type whose data fits.
        body: bytes as received, or the envelope re-encoded with its ``handled`` stamp.
        headers: the headers that are its attributes, where it came in binary mode and could not be decoded.
        key: ordering key.
        priority: of its queue.
        history: what went wrong last; one entry for each handler that failed in the last attempt.
        ticket: the replay ticket that it carried, None for a first failure.
    """

    id: str
    type: str | None
    transport: str
    queue: str
    failed_at: float
    attempts: int
    decoded: bool
    body: bytes
    headers: Mapping[str, str] = {}
    key: str | None = None
    priority: int = 0
    history: tuple[Attempt, ...] = ()
    ticket: str | None = None


class StoredFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the store: the failure with its whole history, and its group keys (a group each failed handler)."""

    failure: Failure
    groups: tuple[str, ...]
    ticket: str | None = None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Failed messages of one type, handler and error type. Times are seconds since the epoch."""

    group: str
    type: str | None
    handler: str | None
    error_type: str
    count: int
    first_at: float
    last_at: float


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which failed messages; everything given must hold. Times are seconds since the epoch.

    ``error`` is an error type's name, ``aliases`` are other names of the type. No field set: all of them.
    """

    ids: tuple[str, ...] | None = None
    type: str | None = None
    transport: str | None = None
    queue: str | None = None
    error: str | None = None
    group: str | None = None
    since: float | None = None
    until: float | None = None
    aliases: tuple[str, ...] = ()


class FailureStore(Protocol):
    """Keeps failed messages until they are retried or removed.

    Replay makes no twin: a row that is being put back carries a ticket, which travels with the message as
    its ``replay`` stamp. ``hide`` takes the row out of sight once the broker has confirmed; ``resolve``
    removes it when the replayed message is done; a failure under the ticket brings it back to its row.

    Every method raises DatabaseUnavailable when the database does not answer.
    """

    async def add(self, failures: Sequence[Failure]) -> None:
        """Keep failures; one whose id is there already replaces its row and adds to its history."""
        ...

    async def note(self, message_id: str, attempts: Sequence[Attempt]) -> None:
        """Keep the history of attempts that will be retried, to be shown if the message fails for good."""
        ...

    async def count(self, chosen: Filter) -> int:
        """Count the visible rows."""
        ...

    async def ids(self, chosen: Filter) -> list[str]:
        """Ids of the visible rows, the oldest failure first."""
        ...

    async def page(
        self, chosen: Filter, limit: int, after: str | None = None
    ) -> tuple[list[StoredFailure], str | None]:
        """Return up to ``limit`` visible rows, newest first, and the cursor of the next page."""
        ...

    async def get(self, failure_id: str) -> StoredFailure | None:
        """Return one visible row, None when there is none."""
        ...

    async def groups(self) -> list[Group]:
        """Count by group, largest first."""
        ...

    async def ticket(self, ids: Sequence[str]) -> dict[str, str]:
        """Give each visible row a replay ticket, the one it has already if any; ids that are gone are left out."""
        ...

    async def hide(self, tickets: Mapping[str, str]) -> None:
        """Take rows (ticket by id) out of sight: the broker has confirmed their replay under that ticket.

        A row that has failed again meanwhile has lost the ticket, and stays in sight.
        """
        ...

    async def stale(self, failure_id: str, ticket: str) -> bool:
        """Tell whether a message that carries ``ticket`` is a twin: its row is gone or has another ticket."""
        ...

    async def resolve(self, failure_id: str, ticket: str) -> None:
        """Remove the row: the replayed message is done."""
        ...

    async def replace_body(self, failure_id: str, body: bytes) -> None:
        """Put an edited envelope in the row's place."""
        ...

    async def remove(self, ids: Sequence[str]) -> int:
        """Remove visible rows and say how many there were."""
        ...
