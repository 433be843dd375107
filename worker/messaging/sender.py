"""Sends encoded messages: concurrent calls share one batch of the broker's."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from functools import partial

from worker.errors import PublishFailed, TransportUnavailable, Unavailable
from worker.messaging.abilities import Confirms, Posts
from worker.messaging.parking import Parking
from worker.messaging.refusal import refusal
from worker.messaging.transport import ACCEPTED, Outcome, OutcomeKind, Outgoing, Transport

PUBLISH_TIMEOUT = 30.0
"""Seconds after which a publish's outcome counts as unknown."""
FULL = 100
"""Messages with which a batch leaves in the middle of a turn, where the transport can write at once: so the broker
has something to do while the rest of a burst is being encoded."""

_Waiting = tuple[Outgoing, asyncio.Future[Outcome]]


class Sender:
    """Publishes to one transport; what is sent in one turn of the loop leaves in one batch, or in full ones.

    While a batch is under way the next one gathers, so batches grow with the load and a single message
    never waits for company. What is sent first is written first.

    Args:
        transport: where to.
        timeout: seconds that one batch may take.
        parallel: batches under way at once.
        sent: hears of each batch that was answered or parked; see ``Observer``.
        parking: keeps what is delayed for longer than the broker can; without one the broker gets it all the same.
    """

    def __init__(
        self,
        transport: Transport,
        timeout: float = PUBLISH_TIMEOUT,
        parallel: int = 2,
        sent: Callable[[str, Sequence[Outgoing], Sequence[Outcome]], object] | None = None,
        parking: Parking | None = None,
    ) -> None:
        self.longest = transport.features.max_delay if parking is not None else math.inf
        self._parking = parking
        self._transport = transport
        self._posts = transport if isinstance(transport, Posts) else None
        self._timeout = timeout
        self._parallel = parallel
        self._sent = sent
        self._waiting: list[_Waiting] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self._unwritten: set[asyncio.Task[None]] = set()
        self._scheduled = False

    async def send(self, outgoing: Outgoing) -> None:
        """Publish one message and return once the broker has confirmed it.

        Raises:
            PublishFailed: it was refused or unroutable, or its fate is unknown.
            TransportUnavailable: the broker does not answer.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        self._waiting.append((outgoing, future))
        if not self._scheduled and len(self._under_way) < self._parallel:
            self._scheduled = True
            loop.call_soon(self._start)
        if self._posts is not None and not len(self._waiting) % FULL:
            self._post(self._waiting[: self._transport.features.max_batch])
        outcome = await future
        if outcome.kind is not OutcomeKind.ACCEPTED:
            raise failure(self._transport.name, outgoing, outcome)

    def check(self, outgoing: Outgoing) -> None:
        """Refuse what the broker will never take, without asking it; it may know more that it refuses.

        Raises:
            PublishFailed: it is too large, or cannot be expressed.
        """
        if (why := refusal(outgoing, self._transport.features.max_bytes)) is not None:
            raise failure(self._transport.name, outgoing, Outcome(OutcomeKind.REFUSED, why))

    async def send_all(self, batch: Sequence[Outgoing]) -> None:
        """Publish in order and return once the broker has confirmed all of them; raises as ``send`` does."""
        if len(batch) == 1:
            await self.send(batch[0])
            return
        for outgoing, outcome in zip(batch, await self.publish(batch), strict=True):
            if outcome.kind is not OutcomeKind.ACCEPTED:
                raise failure(self._transport.name, outgoing, outcome)

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish in order; one outcome a message. Never longer than the timeout.

        What is delayed for longer than the broker can is accepted once it is parked.

        Raises:
            TransportUnavailable: none was taken.
        """
        late = [outgoing for outgoing in batch if outgoing.delay > self.longest]
        if not late:
            return await self._publish(batch)
        parked = iter(await self._park(late))
        rest = [outgoing for outgoing in batch if outgoing.delay <= self.longest]
        published = iter(await self._publish(rest) if rest else ())
        return [next(parked if outgoing.delay > self.longest else published) for outgoing in batch]

    async def _park(self, late: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Park them; what the broker would never take then is refused now."""
        assert self._parking is not None
        limit = self._transport.features.max_bytes
        whys = [refusal(outgoing, limit) for outgoing in late]
        fit = [outgoing for outgoing, why in zip(late, whys, strict=True) if why is None]
        kept = ACCEPTED
        try:
            if fit:
                await self._parking.park(self._transport.name, fit, self.longest)
        except Unavailable as error:
            kept = Outcome(OutcomeKind.UNKNOWN, str(error))
        outcomes = [kept if why is None else Outcome(OutcomeKind.REFUSED, why) for why in whys]
        if self._sent is not None and kept is ACCEPTED:
            self._sent(self._transport.name, late, outcomes)
        return outcomes

    async def _publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        outcomes: list[Outcome] = []
        size = self._transport.features.max_batch
        for start in range(0, len(batch), size):
            part = batch[start : start + size]
            try:
                outcomes.extend(await self._in_time(part, partial(self._transport.publish, part)))
            except TransportUnavailable as error:
                if not outcomes:
                    self._name(error)
                    raise
                outcomes.extend([Outcome(OutcomeKind.UNKNOWN, str(error))] * len(part))
        return outcomes

    async def _in_time(self, batch: Sequence[Outgoing], confirms: Confirms) -> Sequence[Outcome]:
        try:
            async with asyncio.timeout(self._timeout):
                outcomes = _complete(await confirms(), len(batch))
        except TimeoutError:
            outcomes = [Outcome(OutcomeKind.UNKNOWN, f"no answer within {self._timeout:g} s")] * len(batch)
        if self._sent is not None:
            self._sent(self._transport.name, batch, outcomes)
        return outcomes

    def _name(self, error: BaseException) -> None:
        """Note which transport's an outage is, for callers who may not know more."""
        if isinstance(error, TransportUnavailable) and error.told is None:
            error.told = f"transport {self._transport.name!r} does not answer"

    def _start(self) -> None:
        """Let what waits leave, as far as there is room beside what is under way."""
        self._scheduled = False
        while self._waiting and len(self._under_way) < self._parallel:
            self._leave()

    def _leave(self) -> None:
        part = self._waiting[: self._transport.features.max_batch]
        if not self._post(part):
            batch = [outgoing for outgoing, _ in part]
            task = self._follow(part, partial(self.publish, batch))
            self._unwritten.add(task)
            task.add_done_callback(self._unwritten.discard)

    def _post(self, part: Sequence[_Waiting]) -> bool:
        """Write what has waited longest at once, if that can be done, and nothing before it is still to be written."""
        if self._posts is None or self._unwritten:
            return False
        batch = [outgoing for outgoing, _ in part]
        if max(outgoing.delay for outgoing in batch) > self.longest:
            return False
        try:
            confirms = self._posts.post(batch)
        except Exception as error:  # the driver's: those who wait hear of it
            confirms = partial(_raise, error)
        if confirms is None:
            return False
        self._follow(part, partial(self._in_time, batch, confirms))
        return True

    def _follow(self, part: Sequence[_Waiting], confirms: Confirms) -> asyncio.Task[None]:
        """Take the first that wait off the list, and see to it that they hear what became of them."""
        del self._waiting[: len(part)]
        task = asyncio.get_running_loop().create_task(self._flush(part, confirms))
        self._under_way.add(task)
        task.add_done_callback(self._flushed)
        return task

    def _flushed(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not self._scheduled:
            self._start()

    async def _flush(self, part: Sequence[_Waiting], confirms: Confirms) -> None:
        try:
            outcomes = await confirms()
        except BaseException as error:
            self._name(error)
            for _, future in part:
                if not future.done():
                    future.set_exception(
                        error if isinstance(error, Exception) else PublishFailed("cancelled", unknown=True)
                    )
            if not isinstance(error, Exception):
                raise
            return
        for (_, future), outcome in zip(part, outcomes, strict=True):
            if not future.done():
                future.set_result(outcome)


async def _raise(error: Exception) -> Sequence[Outcome]:
    raise error


def _complete(answers: Sequence[Outcome], expected: int) -> Sequence[Outcome]:
    """One outcome a message: where a transport gives another number, it is not known which is whose."""
    if len(answers) == expected:
        return answers
    return [Outcome(OutcomeKind.UNKNOWN, f"{len(answers)} answers to {expected} messages")] * expected


def failure(transport: str, outgoing: Outgoing, outcome: Outcome) -> PublishFailed:
    """Say why a message was not taken."""
    why = {
        OutcomeKind.UNROUTABLE: f"there is no queue {outgoing.queue!r}; run: worker setup",
        OutcomeKind.REFUSED: "refused",
        OutcomeKind.UNKNOWN: "it is not known whether it was taken; send it again under the same id",
    }.get(outcome.kind, outcome.kind.value)
    detail = f" ({outcome.detail})" if outcome.detail else ""
    text = f"{outgoing.type} {outgoing.id} to {transport}/{outgoing.queue}: {why}"
    error = PublishFailed(
        f"{text}{detail}",
        unknown=outcome.kind is OutcomeKind.UNKNOWN,
        refused=outcome.kind is OutcomeKind.REFUSED,
        id=outgoing.id,
    )
    error.told = text
    return error
