"""Tells the service what was decided, ten deliveries a request, and accounts for each of them."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from transports.sqs.connection import Connection, Link
from transports.sqs.faults import Refused
from transports.sqs.receipt import Receipt
from transports.sqs.settings import MOST
from worker.errors import TransportUnavailable
from worker.messaging.batcher import Batcher
from worker.messaging.transport import Settled

_PARALLEL = 4
_LINGER = 0.005
"""Seconds that an ack waits for others to share its request: each request is paid for."""

_PAUSE = 0.2
"""Seconds between two tries while the service does not answer."""

_GONE = (
    "ReceiptHandleIsInvalid",
    "InvalidParameterValue",
    "InvalidIdFormat",
    "MessageNotInflight",
    "InvalidReceipt",
)
"""Codes by which the service refuses a receipt that is not valid any more."""


class Fate(enum.Enum):
    """The result of one try."""

    DONE = "done"
    LOST = "lost"
    AGAIN = "again"


class Change(NamedTuple):
    """A receipt, and for how many seconds from now the service shall hide the message."""

    receipt: Receipt
    seconds: int


class Acknowledger:
    """Settles what was received of one queue.

    Args:
        url: asks for the queue's address.
        patience: how long an outage is waited out, seconds; never beyond the lease.
    """

    def __init__(self, connection: Connection, url: Callable[[], str], patience: float) -> None:
        self._connection = connection
        self._url = url
        self._patience = patience
        self._removals: Batcher[Receipt, Settled] = Batcher(
            self._remove, limit=MOST, parallel=_PARALLEL, linger=_LINGER
        )
        self._changes: Batcher[Change, Settled] = Batcher(self._change, limit=MOST, parallel=_PARALLEL)
        self._extensions: Batcher[Change, Settled] = Batcher(self._extend, limit=MOST, parallel=_PARALLEL)

    def remove(self, receipt: Receipt) -> asyncio.Future[Settled]:
        """Remove the message."""
        return self._removals.submit(receipt)

    def give_back(self, receipt: Receipt, seconds: int = 0) -> asyncio.Future[Settled]:
        """Give the message back, hidden for ``seconds`` first."""
        return self._changes.submit(Change(receipt, seconds))

    def extend(self, receipt: Receipt, seconds: float) -> asyncio.Future[Settled]:
        """Keep the message for another lease; LOST where the service keeps it no longer."""
        now = asyncio.get_running_loop().time()
        whole = int(min(seconds, receipt.room(now)))
        if whole < 1:
            lost: asyncio.Future[Settled] = asyncio.get_running_loop().create_future()
            lost.set_result(Settled.LOST)
            return lost
        return self._extensions.submit(Change(receipt, whole))

    async def finish(self) -> None:
        """Wait until everything that was asked for is answered."""
        for batcher in (self._removals, self._changes, self._extensions):
            await batcher.finish()

    async def _remove(self, receipts: Sequence[Receipt]) -> Sequence[Settled]:
        return await self._patiently("DeleteMessageBatch", receipts, [{} for _ in receipts])

    async def _change(self, changes: Sequence[Change]) -> Sequence[Settled]:
        more = [{"VisibilityTimeout": change.seconds} for change in changes]
        return await self._patiently(
            "ChangeMessageVisibilityBatch", [change.receipt for change in changes], more
        )

    async def _extend(self, changes: Sequence[Change]) -> Sequence[Settled]:
        began = asyncio.get_running_loop().time()
        entries = [
            {"ReceiptHandle": change.receipt.handle, "VisibilityTimeout": change.seconds}
            for change in changes
        ]
        fates = await self._once("ChangeMessageVisibilityBatch", entries)
        for change, fate in zip(changes, fates, strict=True):
            if fate is Fate.DONE:
                change.receipt.until = began + change.seconds
        told = {Fate.DONE: Settled.DONE, Fate.LOST: Settled.LOST, Fate.AGAIN: Settled.UNKNOWN}
        return [told[fate] for fate in fates]

    async def _patiently(
        self, action: str, receipts: Sequence[Receipt], more: Sequence[Mapping[str, Any]]
    ) -> Sequence[Settled]:
        """Try until it is known what became of each, its lease is over, or ``patience`` is."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        answers = [Settled.UNKNOWN] * len(receipts)
        left = list(range(len(receipts)))
        doubtful = False
        while left:
            due = [place for place in left if receipts[place].until > loop.time()]
            if not doubtful:
                for place in set(left) - set(due):
                    answers[place] = Settled.LOST
            if not due:
                break
            fates = await self._once(
                action, [{"ReceiptHandle": receipts[place].handle, **more[place]} for place in due]
            )
            left = []
            for place, fate in zip(due, fates, strict=True):
                if fate is Fate.AGAIN:
                    left.append(place)
                elif fate is Fate.DONE:
                    answers[place] = Settled.DONE
                elif not doubtful:  # else an earlier try may have settled what is gone
                    answers[place] = Settled.LOST
            doubtful = True
            if not left or loop.time() + _PAUSE > began + self._patience or not self._connection.is_open:
                break
            await asyncio.sleep(_PAUSE)
        return answers

    async def _once(self, action: str, entries: Sequence[Mapping[str, Any]]) -> Sequence[Fate]:
        """Try once, and account for every entry: one that the answer does not name must be tried again."""
        written = [{"Id": str(place), **entry} for place, entry in enumerate(entries)]
        try:
            answer = await self._connection.call(Link.SETTLE, action, QueueUrl=self._url(), Entries=written)
        except Refused as refused:
            if refused.missing:
                return [Fate.LOST] * len(entries)
            return [Fate.LOST if refused.code in _GONE else Fate.AGAIN] * len(entries)
        except TransportUnavailable:
            return [Fate.AGAIN] * len(entries)
        done = {each.get("Id") for each in answer.get("Successful") or ()}
        failed = {each.get("Id"): each for each in answer.get("Failed") or ()}
        fates = []
        for entry in written:
            told = failed.get(entry["Id"])
            if entry["Id"] in done:
                fates.append(Fate.DONE)
            elif told is not None and (told.get("SenderFault") or told.get("Code") in _GONE):
                fates.append(Fate.LOST)
            else:
                fates.append(Fate.AGAIN)
        return fates
