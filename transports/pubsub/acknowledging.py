"""Acknowledges what one subscription handed out, and changes its deadlines: many in one request, each bounded."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import NamedTuple

from transports.gathering import Gathering
from transports.pubsub import wire
from transports.pubsub.connection import Connection
from transports.pubsub.faults import Failed
from transports.pubsub.holding import Hold
from worker.messaging.transport import Settled

_IDS, _BYTES = 1000, 500_000
"""What one request takes: Pub/Sub's limit is 512 KiB."""
_LONGEST = 600
_PAUSE = 0.1


class _Change(NamedTuple):
    """Deliveries, and the deadline they get: None to acknowledge them."""

    holds: Sequence[Hold]
    seconds: int | None


class Acknowledger:
    """Acknowledges and postpones.

    Args:
        connection: to the service.
        subscription: full name.
    """

    def __init__(self, connection: Connection, subscription: str) -> None:
        self._connection = connection
        self._subscription = subscription
        self._patience = connection.settings.timeout
        self._acks: Gathering[_Change, list[Settled]] = Gathering(self._do, _weight)
        self._changes: Gathering[_Change, list[Settled]] = Gathering(self._do, _weight)

    async def acknowledge(self, holds: Sequence[Hold]) -> list[Settled]:
        """They are done with."""
        return await self._asked(self._acks, holds, None)

    async def postpone(self, holds: Sequence[Hold], delay: float) -> list[Settled]:
        """Hand them out again after ``delay`` seconds, at most ten minutes; at once for 0."""
        return await self._asked(self._changes, holds, min(math.ceil(delay), _LONGEST))

    def give_up(self) -> None:
        """Try no more what did not succeed: the transport is being closed."""
        self._patience = 0.0

    async def finish(self) -> None:
        """Wait until everything is answered."""
        await self._acks.finish()
        await self._changes.finish()

    async def _asked(
        self, gathering: Gathering[_Change, list[Settled]], holds: Sequence[Hold], seconds: int | None
    ) -> list[Settled]:
        parts = [holds[start : start + _IDS] for start in range(0, len(holds), _IDS)]
        asked = [gathering.submit(_Change(part, seconds)) for part in parts]
        return [answer for future in asked for answer in await asyncio.shield(future)]

    async def _do(self, changes: Sequence[_Change]) -> list[list[Settled]]:
        """Those that get the same deadline go together."""
        together: dict[int | None, list[Hold]] = {}
        for change in changes:
            together.setdefault(change.seconds, []).extend(change.holds)
        answers: dict[Hold, Settled] = {}
        for seconds, holds in together.items():
            for part in _parts(holds):
                answers.update(await self._request(part, seconds))
        return [[answers[hold] for hold in change.holds] for change in changes]

    async def _request(self, holds: list[Hold], seconds: int | None) -> dict[Hold, Settled]:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._connection.settings.timeout
        begun = loop.time()
        answers: dict[Hold, Settled] = {}
        doubtful = False
        left = holds
        while True:
            try:
                await self._call(left, seconds, max(end - loop.time(), 0.1))
                return answers | self._believed(left)
            except Failed as error:
                if error.reasons:  # exactly-once: it says how each one went
                    told = {hold: _told(error.reasons.get(hold.ack_id)) for hold in left}
                    answers |= {hold: answer for hold, answer in told.items() if answer is not None}
                    left = [hold for hold, answer in told.items() if answer is None]
                elif error.code == "INVALID_ARGUMENT" and len(left) > 1:
                    for hold in left:  # one of them the service does not know: it alone is lost
                        answers |= await self._request([hold], seconds)
                    return answers
                elif error.code in {"INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION"}:
                    return answers | dict.fromkeys(left, Settled.UNKNOWN if doubtful else Settled.LOST)
                doubtful = doubtful or error.doubtful
                if not left:
                    return answers
                passes = error.passes or bool(error.reasons)
                if not passes or loop.time() + _PAUSE >= begun + self._patience:
                    return answers | dict.fromkeys(left, Settled.UNKNOWN)
            await asyncio.sleep(_PAUSE)

    def _believed(self, holds: list[Hold]) -> dict[Hold, Settled]:
        """Without exactly-once the service says yes to ids whose lease is over too, and does nothing then."""
        if self._connection.settings.exactly_once:
            return dict.fromkeys(holds, Settled.DONE)
        now = asyncio.get_running_loop().time()
        return {hold: Settled.DONE if hold.expires > now else Settled.UNKNOWN for hold in holds}

    async def _call(self, holds: list[Hold], seconds: int | None, timeout: float) -> None:
        ids = [hold.ack_id for hold in holds]
        if seconds is None:
            request = wire.Acknowledge(subscription=self._subscription, ack_ids=ids)
            await self._connection.call(wire.ACKNOWLEDGE, request, timeout)
            return
        request = wire.ModifyDeadline(
            subscription=self._subscription, ack_ids=ids, ack_deadline_seconds=seconds
        )
        await self._connection.call(wire.MODIFY_DEADLINE, request, timeout)


def _told(reason: str | None) -> Settled | None:
    """What the service says of one id; None where it says to try again."""
    if reason is None:
        return Settled.DONE
    return None if reason.startswith("TRANSIENT_") else Settled.LOST


def _weight(change: _Change) -> float:
    return max(len(change.holds) / _IDS, sum(len(hold.ack_id) + 4 for hold in change.holds) / _BYTES)


def _parts(holds: Sequence[Hold]) -> list[list[Hold]]:
    parts: list[list[Hold]] = [[]]
    size = 0
    for hold in holds:
        size += len(hold.ack_id) + 4
        if parts[-1] and (size > _BYTES or len(parts[-1]) >= _IDS):
            parts.append([])
            size = len(hold.ack_id) + 4
        parts[-1].append(hold)
    return parts
