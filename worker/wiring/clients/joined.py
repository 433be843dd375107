"""Messages that leave if and only if a transaction of the application commits: rows of the outbox in it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from worker.errors import UsageError
from worker.messaging.envelope import Envelope
from worker.messaging.parcel import Parcel
from worker.messaging.stamps import Collect, Sent
from worker.messaging.status import StatusChange
from worker.state import outbox, outbox_statements, status_row
from worker.wiring.clients.entrance import Ready
from worker.wiring.service import Service

Runner = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs what blocks."""


async def joined(
    service: Service, session: object, messages: Sequence[Ready], runner: Runner | None = None
) -> list[Envelope[Any]]:
    """Keep messages in the transaction of a session or connection; a relay sends them once it is committed.

    Args:
        service: opened.
        session: an ``AsyncSession``, ``Session`` or connection of SQLAlchemy.
        messages: checked.
        runner: runs what blocks, for code without a loop; None for a thread.

    Raises:
        UsageError: it is no session, is on another database, or a message is handled at once.
        PublishFailed: one is too large for its broker.
        DatabaseUnavailable: the state's database does not answer.
        Exception: what SQLAlchemy or a middleware raises.
    """
    from worker.state.sessions.callers import (
        caller_of,
    )  # SQLAlchemy: the application has loaded it, or is wrong

    caller = caller_of(session, runner)
    envelopes, parcels, statuses = [], [], []
    for one in messages:
        left: list[Any] = []
        envelope = await one.dispatch(Collect(left, refusing=True))
        sent = envelope.get(Sent)
        envelopes.append(envelope.without(Collect, Sent))
        for parcel in left:
            if not isinstance(parcel, Parcel):
                name = one.door.declared.name
                raise UsageError(
                    f"send({name}, session=…): {name} is handled at once (inline) and cannot wait for a commit; "
                    "route it to a transport"
                )
            parcels.append(parcel)
        if sent is not None and one.door.tracked:
            statuses.append(_accepted(service, envelope, sent))
    now = await service.state.database.now(writes=False)  # the session may hold what a write would wait for
    rows: list[tuple[Any, Sequence[Mapping[str, Any]]]] = [
        (outbox_statements.ADD_ONCE, outbox.unclaimed(parcels, now)),
        (status_row.ADD, statuses),
    ]
    if parcels:
        await service.state.database.joining.add(caller, rows, _waker(service))
    return envelopes


def _accepted(service: Service, envelope: Envelope[Any], sent: Sent) -> dict[str, Any]:
    """Make the row of its status: it is there with the commit, as that of a 202 is."""
    change = StatusChange(
        id=envelope.id,
        type=envelope.type,
        state="accepted",
        at=service.process.clock(),
        transport=sent.transport,
        queue=sent.queue,
        attempt=0,
        accepted_at=envelope.time,
    )
    return msgspec.structs.asdict(status_row.row_of(change))


def _waker(service: Service) -> Callable[[], None]:
    loop, relay = asyncio.get_running_loop(), service.sending.relay

    def wake() -> None:
        """Have the outbox looked at; from any thread, and for as long as there is a loop."""
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(relay.notify)

    return wake
