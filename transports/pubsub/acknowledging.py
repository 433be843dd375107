"""Acknowledges what one subscription handed out, and changes its deadlines: many in one request, each bounded."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from transports.gathering import Gathering
from transports.pubsub import wire
from transports.pubsub.connection import Connection
from transports.pubsub.faults import Failed
from transports.pubsub.receipt import Receipt
from worker.messaging.transport import Settled

_IDS, _BYTES = 1000, 500_000
"""What one request takes: Pub/Sub's limit is 512 KiB."""
_FRAME = 4
"""Bytes around each id."""
_APART = 0.1
"""Seconds from one acknowledging request to the next, unless a full one waits: each costs as much as forty messages."""
_LONGEST = 600
_PAUSE = 0.1


class _Change(NamedTuple):
    """Deliveries that fit into one request, and the deadline they get: None to acknowledge them."""

    receipts: Sequence[Receipt]
    weight: float
    seconds: int | None


class Acknowledger:
    """Acknowledges and postpones.

    Args:
        connection: to the service.
        subscription: full name.
        keyed: the queue keeps the order of a key. Its next message waits for the acknowledgement of the one before, so
            acknowledgements are sent at once.
    """

    def __init__(self, connection: Connection, subscription: str, *, keyed: bool) -> None:
        self._connection = connection
        self._subscription = subscription
        self._patience = connection.settings.timeout
        self._acks: Gathering[_Change, list[Settled]] = Gathering(
            self._do, attrgetter("weight"), apart=0.0 if keyed else _APART
        )
        self._changes: Gathering[_Change, list[Settled]] = Gathering(self._do, attrgetter("weight"))

    async def acknowledge(self, receipts: Sequence[Receipt]) -> list[Settled]:
        """Tell the service that these are done with."""
        return await self._asked(self._acks, receipts, None)

    async def postpone(self, receipts: Sequence[Receipt], delay: float) -> list[Settled]:
        """Hand them out again after ``delay`` seconds, at most ten minutes; at once for 0."""
        return await self._asked(self._changes, receipts, min(math.ceil(delay), _LONGEST))

    def give_up(self) -> None:
        """Do not try again what fails from now on: the transport is being closed."""
        self._patience = 0.0

    async def finish(self) -> None:
        """Wait until everything is answered."""
        await self._acks.finish()
        await self._changes.finish()

    async def _asked(
        self, gathering: Gathering[_Change, list[Settled]], receipts: Sequence[Receipt], seconds: int | None
    ) -> list[Settled]:
        asked = [gathering.submit(_Change(part, weight, seconds)) for part, weight in _parts(receipts)]
        return [answer for future in asked for answer in await asyncio.shield(future)]

    async def _do(self, changes: Sequence[_Change]) -> list[list[Settled]]:
        """Send together those that get the same deadline."""
        together: dict[int | None, list[Receipt]] = {}
        for change in changes:
            together.setdefault(change.seconds, []).extend(change.receipts)
        answers: dict[Receipt, Settled] = {}
        for seconds, receipts in together.items():
            end = asyncio.get_running_loop().time() + self._connection.settings.timeout
            await self._request(receipts, seconds, answers, end)
        return [[answers[receipt] for receipt in change.receipts] for change in changes]

    async def _request(
        self, left: list[Receipt], seconds: int | None, answers: dict[Receipt, Settled], end: float
    ) -> None:
        """Ask, again and again while that may help and until ``end``, and fill in the answers."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        doubtful = False
        while True:
            if loop.time() >= end:
                answers.update(dict.fromkeys(left, Settled.UNKNOWN))
                return
            try:
                await self._call(left, seconds, max(end - loop.time(), 0.1))
                answers.update(zip(left, self._believed(left), strict=True))
                return
            except Failed as error:
                if error.reasons:  # exactly-once: it says how each one went
                    told = {receipt: _told(error.reasons.get(receipt.ack_id)) for receipt in left}
                    answers.update(
                        (receipt, answer) for receipt, answer in told.items() if answer is not None
                    )
                    left = [receipt for receipt, answer in told.items() if answer is None]
                elif error.code == "INVALID_ARGUMENT" and len(left) > 1:
                    half = len(left) // 2  # the service does not know one of the ids: only that one is lost
                    for part in (left[:half], left[half:]):
                        await self._request(part, seconds, answers, end)
                    return
                elif error.code in {"INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION"}:
                    answers.update(dict.fromkeys(left, Settled.UNKNOWN if doubtful else Settled.LOST))
                    return
                doubtful = doubtful or error.doubtful
                if not left:
                    return
                passes = error.passes or bool(error.reasons)
                if not passes or loop.time() + _PAUSE >= min(begun + self._patience, end):
                    answers.update(dict.fromkeys(left, Settled.UNKNOWN))
                    return
            await asyncio.sleep(_PAUSE)

    def _believed(self, receipts: Sequence[Receipt]) -> list[Settled]:
        """Tell what a success means: without exactly-once the service also says yes where a lease is over."""
        if self._connection.settings.exactly_once:
            return [Settled.DONE] * len(receipts)
        now = asyncio.get_running_loop().time()
        return [Settled.UNKNOWN if receipt.lost(now) else Settled.DONE for receipt in receipts]

    async def _call(self, receipts: list[Receipt], seconds: int | None, timeout: float) -> None:
        ids = [receipt.ack_id for receipt in receipts]
        if seconds is None:
            request = wire.Acknowledge(subscription=self._subscription, ack_ids=ids)
            await self._connection.call(wire.ACKNOWLEDGE, request, timeout)
            return
        request = wire.ModifyDeadline(
            subscription=self._subscription, ack_ids=ids, ack_deadline_seconds=seconds
        )
        await self._connection.call(wire.MODIFY_DEADLINE, request, timeout)


def _told(reason: str | None) -> Settled | None:
    """Tell what the service says of one id; None where it says to try again."""
    if reason is None:
        return Settled.DONE
    return None if reason.startswith("TRANSIENT_") else Settled.LOST


def _parts(receipts: Sequence[Receipt]) -> list[tuple[Sequence[Receipt], float]]:
    """Divide them into what fits into one request; tell each part's share of one."""
    parts: list[tuple[Sequence[Receipt], float]] = []
    start, size = 0, 0
    for place, receipt in enumerate(receipts):
        more = len(receipt.ack_id) + _FRAME
        if place - start == _IDS or (size + more > _BYTES and place > start):
            parts.append((receipts[start:place], _share(place - start, size)))
            start, size = place, 0
        size += more
    return [*parts, (receipts[start:], _share(len(receipts) - start, size))]


def _share(count: int, size: int) -> float:
    return max(count / _IDS, size / _BYTES)
