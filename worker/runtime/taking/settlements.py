"""Settlements of one queue on their way to its broker: those of one turn of the loop are sent as one batch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from worker.errors import Unavailable
from worker.messaging.transport import Ack, Again, Delivery, Settled, Settlement
from worker.runtime.taking.settled import HandledBefore

_REMEMBERED = 10_000

log = structlog.stdlib.get_logger("worker.consumer")


class Settlements:
    """Collects and sends settlements.

    Args:
        transport: its name, for the log.
        queue: its name, for the log.
        tell: settles a batch; one answer each.
        wake: called whenever a batch was told to the broker.
        leased: deliveries that are being extended, by identity; one that is to be settled is taken out of it.
        settled: hears what the broker answered.
    """

    def __init__(
        self,
        transport: str,
        queue: str,
        tell: Callable[[Sequence[Settlement]], Awaitable[Sequence[Settled]]],
        wake: Callable[[], None],
        leased: dict[int, Delivery],
        settled: Callable[[Sequence[Settlement], Sequence[Settled]], object] | None = None,
    ) -> None:
        self._tell = tell
        self._transport = transport
        self._queue = queue
        self._wake = wake
        self._leased = leased
        self._settled = settled
        self._watched: dict[int, asyncio.Future[Settlement]] = {}
        self._waiting: list[Settlement] = []
        self._flushing: set[asyncio.Task[None]] = set()
        self._scheduled = False
        self._unswapped: dict[str, None] = {}
        self._unread: set[int] = set()
        self.before = HandledBefore()

    def swaps(self, id: str) -> bool:
        """Whether a message may be swapped for its next attempt: not where the transport fell over that before."""
        return id not in self._unswapped

    @property
    def idle(self) -> bool:
        """Whether all are told to the broker."""
        return not (self._waiting or self._flushing)

    def watch(self, delivery: Delivery) -> asyncio.Future[Settlement]:
        """Tell how a delivery is settled as soon as that is decided."""
        future: asyncio.Future[Settlement] = asyncio.get_running_loop().create_future()
        self._watched[id(delivery)] = future
        return future

    def add(self, settlement: Settlement, *, unread: bool = False) -> None:
        """Send it with the others of this turn of the loop; ``unread``: the same bytes may be sent again, to be handled."""
        if unread:
            self._unread.add(id(settlement.delivery))
        if self._leased:  # what is being settled must not be extended: it would look lost once that is done
            self._leased.pop(id(settlement.delivery), None)
        if self._watched and (watching := self._watched.pop(id(settlement.delivery), None)) is not None:
            watching.set_result(settlement)
        self._waiting.append(settlement)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    async def flush(self) -> None:
        """Wait until all are told to the broker."""
        while not self.idle:
            self._flush()
            await asyncio.gather(*self._flushing, return_exceptions=True)

    def _flush(self) -> None:
        self._scheduled = False
        if not self._waiting:
            return
        items, self._waiting = self._waiting, []
        task = asyncio.get_running_loop().create_task(self._send(items))
        self._flushing.add(task)
        task.add_done_callback(self._flushing.discard)

    async def _send(self, items: list[Settlement]) -> None:
        try:
            answers = await self._tell_all(items)
        finally:
            self._wake()
        if self._settled is not None:
            self._settled(items, answers)
        done = Settled.DONE
        for item, answer in zip(items, answers, strict=True):
            if answer is not done:
                if isinstance(item, Ack) and id(item.delivery) not in self._unread:
                    self.before.note(item.delivery)
                log.warning(
                    "settlement not taken; the message may come again",
                    id=item.delivery.id,
                    queue=self._queue,
                    transport=self._transport,
                    settlement=type(item).__name__.lower(),
                    answer=answer.value,
                )
        if self._unread:
            self._unread.difference_update([id(item.delivery) for item in items])

    async def _tell_all(self, items: list[Settlement]) -> Sequence[Settled]:
        """Tell the broker; where its transport fails over one of them, the others are settled all the same.

        The one comes again: what came of it is unknown.
        """
        try:
            return await self._tell(items)
        except Exception as error:
            log.exception(
                "settling failed", queue=self._queue, transport=self._transport, settlements=len(items)
            )
            if len(items) == 1:
                self._fell_over(items[0], error)
        answers: list[Settled] = []
        for item in items if len(items) > 1 else ():
            try:
                answers += await self._tell([item])
            except Exception as error:
                log.exception(
                    "settling failed", queue=self._queue, transport=self._transport, id=item.delivery.id
                )
                self._fell_over(item, error)
                answers.append(Settled.UNKNOWN)
        return answers or [Settled.UNKNOWN] * len(items)

    def _fell_over(self, item: Settlement, error: Exception) -> None:
        """Remember what the transport itself fails to swap; it comes again, and its next attempt is published."""
        if not isinstance(item, Again) or isinstance(error, Unavailable):
            return
        if len(self._unswapped) >= _REMEMBERED:
            del self._unswapped[next(iter(self._unswapped))]
        self._unswapped[item.outgoing.id] = None
