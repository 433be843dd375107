"""Fetching: receives a queue's messages whenever its consumer has room for some."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from worker.errors import ConfigurationError, TransportUnavailable
from worker.messaging.transport import Delivery
from worker.runtime.taking.prospect import Prospect
from worker.runtime.taking.subscriber import Subscriber

_FIRST_LOOK, _LONGEST_LOOK = 0.02, 0.5
"""Seconds between questions whether a queue has more, while it is said to have some and none comes."""

_FIRST_QUIET = 0.002
"""Seconds of the first wait for a queue of a burst after it was found empty; the next ones are twice as long each."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds before a broker that did not answer is asked again."""

log = structlog.stdlib.get_logger("worker.consumer")


class Filled(Protocol):
    """What is filled: a consumer.

    Attributes:
        outranks: it must be known when the queue is empty: there are lesser ones.
        outranked: nothing is taken ahead before a slot has come down to it.
        empty_since: the epoch in which the queue was found empty.
        prospect: remembers how reads ended.
    """

    outranks: bool
    outranked: bool
    empty_since: int
    prospect: Prospect

    def space(self) -> int:
        """How many messages may be taken now."""
        ...

    def took(self, got: Sequence[Delivery], *, full: bool) -> None:
        """Take them over; ``full``: as many as were asked for."""
        ...


class Fetching:
    """A loop of receives. An outage is waited out.

    Args:
        into: whose buffer is filled.
        subscriber: receives.
        transport: its name, for the log.
        queue: likewise.
        wake: called when messages have come, or when it is known that none do.
        wait: seconds that one receive waits for messages.
        thorough: it must be known for sure when the queue is empty: for a burst.

    Attributes:
        crowded: it waits until there is space, or rests.
        resting: the next look at the queue is the last one where it finds nothing.
        down: why nothing can be received; None while the broker answers.
    """

    __slots__ = (
        "_into",
        "_look_after",
        "_queue",
        "_quiet",
        "_reached",
        "_space",
        "_subscriber",
        "_thorough",
        "_transport",
        "_wait",
        "_wake",
        "crowded",
        "down",
        "resting",
    )

    def __init__(
        self,
        into: Filled,
        subscriber: Subscriber,
        *,
        transport: str,
        queue: str,
        wake: Callable[[], None],
        wait: float,
        thorough: bool,
    ) -> None:
        self.crowded = False
        self.resting = False
        self.down: str | None = None
        self._into = into
        self._subscriber = subscriber
        self._transport = transport
        self._queue = queue
        self._wake = wake
        self._wait = wait
        self._thorough = thorough
        self._look_after = 0.0
        self._quiet = 0.0
        self._reached = False
        self._space = asyncio.Event()

    def look(self) -> None:
        """Look whether there is space now."""
        self._space.set()

    def reach(self) -> None:
        """A slot has come down to this queue: take something ahead."""
        if not self._reached:
            self._reached = True
            self._space.set()

    def rest(self) -> None:
        """Receive nothing any more once the queue was found empty in the present epoch."""
        self.resting = True

    def go_on(self) -> None:
        """Receive as before ``rest``."""
        if self.resting:
            self.resting = False
            self._space.set()

    @property
    def rests(self) -> bool:
        """Whether nothing is being received, nor will be before ``go_on``."""
        return self.resting and self.crowded

    async def run(self, epoch: Callable[[], int]) -> None:
        """Receive until cancelled.

        Raises:
            ConfigurationError: the first subscription is refused for what is configured.
        """
        into, subscriber = self._into, self._subscriber
        pause = _FIRST_PAUSE
        while True:
            limit = into.space()
            stands_back = into.outranked and not self._reached
            rests = self.resting and (subscriber.paused or into.empty_since == epoch())
            if limit <= 0 or stands_back or rests or (subscriber.paused and not subscriber.open):
                self.crowded = True
                if rests:
                    self._wake()  # a burst may end now
                self._space.clear()
                await self._space.wait()
                self.crowded = False
                continue
            self._reached = False
            before = epoch()
            try:
                got, empty = await self._receive(limit, known=into.empty_since == before)
            except Exception as error:
                if isinstance(error, ConfigurationError) and not subscriber.begun:
                    raise
                # a driver's fault must not leave the queue deaf for good
                self._cannot_receive(error)
                self._wake()  # slots that waited for it turn to lesser queues
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            if self.down is not None:
                # one that is paused may wait in vain, whether its broker answers or not
                if got or not subscriber.paused:
                    log.info("broker answers again", transport=self._transport, queue=self._queue)
                self.down = None
            into.prospect.read(got=bool(got), empty=empty)
            if got:
                into.took(got, full=len(got) >= limit)
            elif empty:
                into.empty_since = before
            self._wake()

    async def _receive(self, limit: int, *, known: bool) -> tuple[Sequence[Delivery], bool]:
        """Receive, and tell whether that was all there is; ``known``: nothing has happened since it was found empty."""
        into, subscriber = self._into, self._subscriber
        if not (into.outranks or self._thorough):
            got = await subscriber.receive(limit, self._wait)
            return got, not got
        if self._thorough and subscriber.foretelling is None:
            # it may be the last look: what is known at once is not waited for, nor longer than it has been quiet
            self._quiet = min(max(self._quiet * 2, _FIRST_QUIET), self._wait) if known else 0.0
            got = await subscriber.receive(limit, self._quiet)
            return got, not got
        got = await subscriber.receive(limit, self._wait if into.prospect.empty else self._look_after)
        if got:
            self._look_after = 0.0
            return got, subscriber.foretelling is None and len(got) < limit
        if subscriber.foretelling is None or (known and into.prospect.empty) or subscriber.paused:
            return got, True
        if not await subscriber.exhausted():
            self._look_after = min(max(self._look_after * 2, _FIRST_LOOK), _LONGEST_LOOK)
            return got, False
        self._look_after = 0.0
        got = await subscriber.receive(limit, 0.0)  # it was on its way when the broker answered
        return got, not got

    def _cannot_receive(self, error: Exception) -> None:
        """Say in ``down`` why; an outage is logged once, and what is configured wrongly, a driver's fault each time."""
        bound = log.bind(transport=self._transport, queue=self._queue)
        if isinstance(error, ConfigurationError):
            if self.down is None:
                bound.error("queue cannot be consumed as it is configured", error=str(error))
            self.down = str(error)
            return
        if not isinstance(error, TransportUnavailable):
            bound.exception("receiving failed")
            self.down = f"{type(error).__name__}: {error}"
            return
        if self.down is None:
            bound.warning("broker does not answer", error=str(error))
        self.down = str(error)
