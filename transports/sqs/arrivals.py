"""Reads what a poll brought: deliveries in lanes by group, what is not due yet, and how long each is held."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from transports.sqs.encoding import decode, headers
from transports.sqs.receipt import Receipt
from transports.sqs.timekeeping import Timekeeper
from worker.messaging.transport import Delivery

ATTRIBUTES = (
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SentTimestamp",
    "MessageGroupId",
)
"""The attributes that the service is asked to send with each message."""


class Polled(NamedTuple):
    """When a poll was sent and answered, by the loop's clock; how many seconds it could wait; and its answer's ``Date``."""

    sent: float
    answered: float
    wait: float
    date: str | None = None

    def until(self, lease: float) -> float:
        """When the lease of what it brought ends, at the earliest.

        It began when the service handed the messages out: shortly before the answer came, and no later than the end of
        the poll's wait. A process that was frozen meanwhile finds so that the lease is over.
        """
        return min(max(self.sent, self.answered - min(1.0, lease / 10)), self.sent + self.wait) + lease


class Arrived(NamedTuple):
    """What came: deliveries to hand out, and those to give back, in order, each with the seconds to stay hidden."""

    ready: list[Delivery]
    back: list[tuple[Delivery, int]]


class Arrivals:
    """Reads the answers of one queue.

    Args:
        queue: the application's name of it.
        owner: the subscription.
        lease: seconds that what came is held.
        fifo: whether its groups are lanes.
        time: the service's.
    """

    def __init__(self, queue: str, owner: object, lease: float, time: Timekeeper, *, fifo: bool) -> None:
        self._queue = queue
        self._owner = owner
        self._lease = lease
        self._time = time
        self._fifo = fifo

    def read(self, messages: Sequence[Mapping[str, Any]], polled: Polled) -> Arrived:
        """Read what came with one answer."""
        ready: list[Delivery] = []
        back: list[tuple[Delivery, int]] = []
        lanes: dict[str, deque[Delivery] | None] = {}
        until = polled.until(self._lease)
        for message in messages:
            told: Mapping[str, str] = message.get("Attributes") or {}
            body, facts = decode(message)
            group = told.get("MessageGroupId") if self._fifo else None
            receipt = Receipt(str(message["ReceiptHandle"]), self._owner, polled.answered, until)
            delivery = Delivery(
                queue=self._queue,
                id=facts.id,
                body=body,
                headers=headers(message, facts),
                key=facts.key,
                redelivered=told.get("ApproximateReceiveCount", "1") != "1",
                receipt=receipt,
            )
            early = self._early(told, facts.delay, polled) if facts.delay > 0 else 0
            if group is None:
                (back.append((delivery, early)) if early else ready.append(delivery))
            elif group in lanes:
                lane = lanes[group]
                (back.append((delivery, 0)) if lane is None else lane.append(delivery))
            elif early:
                lanes[group] = None  # the group waits for its head
                back.append((delivery, early))
            else:
                lanes[group] = receipt.behind = deque()
                ready.append(delivery)
        # a group's head is given back last: what follows it must not be received before it
        back.sort(key=lambda each: each[1])
        return Arrived(ready, back)

    def _early(self, told: Mapping[str, str], delay: float, polled: Polled) -> int:
        """Return the whole seconds until a delayed message of a FIFO queue is due; 0 where it is due."""
        sent = int(told.get("SentTimestamp", 0)) / 1000
        if told.get("ApproximateReceiveCount") == "1":
            now = int(told.get("ApproximateFirstReceiveTimestamp", 0)) / 1000
            self._time.tell(now, polled.answered)
        else:
            now = self._time.at(polled.answered, polled.date)
        return max(0, math.ceil(min(delay, sent + delay - now)))
