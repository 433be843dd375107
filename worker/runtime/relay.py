"""The relay: sends what committed handlers left in the outbox, in order, and again after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import structlog

from worker.errors import Unavailable
from worker.messaging.outage_log import OutageLog
from worker.messaging.parcel import OutboxRow
from worker.messaging.sender import Sender
from worker.messaging.transport import OutcomeKind, Outgoing

BATCH = 200
"""Rows that are sent at once."""

SWEEP = 1.0
"""Seconds between looks for rows that another process left behind."""

_ROUNDS = 25
"""Batches of other transports that leave, at most, before one that does not go on is tried again."""

_RELEASE_TIMEOUT = 2.0

log = structlog.stdlib.get_logger("worker.relay")


class Outbox(Protocol):
    """Where committed messages wait to be sent."""

    async def claim(
        self, worker: str, limit: int, lease: float, transports: Sequence[str] | None = None
    ) -> Sequence[OutboxRow]:
        """Take rows that no other worker is sending, in order; they are this worker's for ``lease`` seconds."""
        ...

    async def release(self, worker: str) -> None:
        """Let others send what this worker claimed."""
        ...

    async def postpone(self, seqs: Sequence[int], longest: float) -> None:
        """Put rows aside until no more than ``longest`` seconds of their delay are left."""
        ...

    async def remove(self, seqs: Sequence[int]) -> None:
        """Forget rows that are sent."""
        ...


Refused = Callable[[str, Outgoing, str], Awaitable[None]]
"""Keeps what a transport refused: its name, the message and the reason. Raises Unavailable when it cannot."""


class Relay:
    """Sends the outbox's rows and removes them once the broker has confirmed.

    A crash in between sends a row twice, under the same id. Order is kept a transport: rows behind one that
    could not be sent wait with it.

    Args:
        outbox: the rows.
        senders: by transport.
        worker: name under which rows are claimed.
        lease: seconds after which another worker may send what this one claimed.
        refused: keeps a row that its broker will never take, with the reason; it leaves the outbox.
    """

    def __init__(
        self,
        outbox: Outbox,
        senders: Mapping[str, Sender],
        worker: str,
        refused: Refused,
        lease: float = 30.0,
    ) -> None:
        self._outbox = outbox
        self._senders = senders
        self._worker = worker
        self._lease = lease
        self._refused = refused
        self._news = asyncio.Event()

    def notify(self) -> None:
        """A commit left rows: send them soon."""
        self._news.set()

    async def run(self) -> None:
        """Send until cancelled; outages are waited out."""
        outage = OutageLog(log, "outbox waits", "outbox is sent again")
        while True:
            self._news.clear()
            try:
                sent = await self.send_some()
            except Unavailable as error:
                outage.met(error)
                await asyncio.sleep(SWEEP)
                continue
            except Exception:  # whatever it was, what others commit must still leave
                log.exception("outbox waits")
                await asyncio.sleep(SWEEP)
                continue
            outage.over()
            if sent < BATCH:
                try:
                    async with asyncio.timeout(SWEEP):
                        await self._news.wait()
                except TimeoutError:
                    pass

    async def send_some(self) -> int:
        """Send one batch and say how many rows were sent.

        Where a transport does not go on, what leaves by others is sent beside it: its rows, as the oldest, would fill each
        batch, and those behind them would never be seen.

        Raises:
            Unavailable: database or broker do not answer; what was not sent stays.
        """
        count = 0
        stuck: dict[str, Unavailable | None] = {}
        for _ in range(_ROUNDS):
            going = [name for name in self._senders if name not in stuck]
            rows = await self._outbox.claim(self._worker, BATCH, self._lease, going) if going else ()
            count += await self._send_each(rows, stuck)
            if len(rows) < BATCH or not stuck:
                break
        outage = next((error for error in stuck.values() if error is not None), None)
        if outage is not None:
            raise outage
        return count

    async def _send_each(self, rows: Sequence[OutboxRow], stuck: dict[str, Unavailable | None]) -> int:
        """Send rows by their transports, and note those that do not go on, with their outages; say how many were sent."""
        sent: list[int] = []
        try:
            for name in dict.fromkeys(row.transport for row in rows):
                mine = [row for row in rows if row.transport == name]
                try:
                    gone, goes_on = await self._send(name, mine)
                except Unavailable as error:  # one broker's; the others' rows go on
                    stuck[name] = error
                    continue
                sent.extend(gone)
                if not goes_on:
                    stuck[name] = None
        finally:
            if sent:
                await self._outbox.remove(sent)
        return len(sent)

    async def drain(self, timeout: float) -> None:
        """Send what this worker may send, for at most ``timeout`` seconds, and let others have the rest at once."""
        try:
            async with asyncio.timeout(timeout):
                while await self.send_some():
                    pass
        except (TimeoutError, Unavailable) as error:
            log.warning("outbox not drained; it will be sent later", error=str(error) or "too slow")
        try:
            async with asyncio.timeout(_RELEASE_TIMEOUT):
                await self._outbox.release(self._worker)
        except (TimeoutError, Unavailable):
            pass  # the lease runs out

    async def _send(self, name: str, rows: Sequence[OutboxRow]) -> tuple[list[int], bool]:
        """Send rows in order; give those that are done with, and whether none is left."""
        sender = self._senders.get(name)
        if sender is None:
            log.error("outbox row names a transport that is not open here", transport=name, rows=len(rows))
            return [], False
        late = [row.seq for row in rows if row.outgoing.delay > sender.longest]
        if late:
            await self._outbox.postpone(late, sender.longest)
            rows = [row for row in rows if row.outgoing.delay <= sender.longest]
        outcomes = await sender.publish([row.outgoing for row in rows]) if rows else []
        sent = []
        for row, outcome in zip(rows, outcomes, strict=True):
            if outcome.kind is OutcomeKind.REFUSED:  # for good: it must not hold up those behind it
                try:
                    await self._refused(name, row.outgoing, outcome.detail)
                except Unavailable as error:  # those before it are sent all the same
                    log.warning("refused outbox row not kept", id=row.outgoing.id, error=str(error))
                    break
            elif outcome.kind is not OutcomeKind.ACCEPTED:
                log.error(
                    "outbox row not sent",
                    transport=name,
                    id=row.outgoing.id,
                    outcome=outcome.kind.value,
                    detail=outcome.detail,
                )
                break
            sent.append(row.seq)
        return sent, len(sent) == len(rows)
