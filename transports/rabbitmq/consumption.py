"""Consuming one queue over one channel, until that channel ends: what came, what is handed out, what is settled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from pamqp import base, commands

from transports.rabbitmq import names
from transports.rabbitmq.encoding import DUE, KEY
from transports.rabbitmq.prefetched import Prefetched
from transports.rabbitmq.receipt import DEAD, KEYS, MAIN, Receipt
from transports.rabbitmq.watermark import Watermark
from transports.rabbitmq.wire import properties
from transports.rabbitmq.wire.channel import Channel, Receiver
from transports.rabbitmq.wire.faults import ChannelClosed, ConnectionLost, WireFault
from worker.messaging.transport import Delivery

TIMEOUT = 10.0
_FLUSH = 0.005
"""Seconds that an ack waits for others to leave with it."""
_LOOK, _STILL = 0.005, 0.05
"""Seconds between two looks whether more has come of what the broker may hand out, and seconds without any after which
nothing is under way."""
_ROUNDS = 4
"""Round trips before a channel is closed: RabbitMQ passes acks on to a quorum queue 32 at a time, and forgets the rest
when the channel closes."""
_BROKERS_OWN = ("x-death", "x-first-death-", "x-last-death-", "x-delivery-count", "x-acquired-count")


class Consumption(Receiver):
    """One generation of a subscription; a receipt of an earlier one is not valid any more.

    Args:
        channel: used by this generation alone.
        queue: the application's name of it.
        deaths: how many deaths a delivery from the put-aside queue counts as.
        prefetched: takes what comes, and ends with this generation.
        clock: seconds since the epoch, for messages that wait in their key's lane.
    """

    def __init__(
        self,
        channel: Channel,
        queue: str,
        deaths: int,
        prefetched: Prefetched,
        clock: Callable[[], float],
    ) -> None:
        loop = asyncio.get_running_loop()
        self.channel = channel
        self.ended: asyncio.Future[str] = loop.create_future()
        self.active: dict[str, str] = {}
        self.out: dict[int, Receipt] = {}
        self.came = 0
        self.prefetched = prefetched
        self._queue = queue
        self._deaths = deaths
        self._clock = clock
        self._loop = loop
        self._watermark = Watermark()
        self._ahead = self._flush_at = 1
        self._flushing: asyncio.TimerHandle | None = None
        self._silent = False  # the broker hears of no ack
        self._headers: dict[str, Mapping[str, str]] = {}
        self._sources: dict[bytes, str] = {}
        channel.tell(self)

    @property
    def idle(self) -> bool:
        """Whether it consumes, and no message is handed out or waits here."""
        return bool(self.active) and not self.out and self.prefetched.empty and not self.ended.done()

    # --- consumers --------------------------------------------------------------------------------------------------

    async def start(self, prefetch: Mapping[str, int]) -> None:
        """Begin to take from these consumers' queues, with at most so many messages of each unsettled.

        Raises:
            ChannelClosed, ConnectionLost, TimeoutError: the broker refuses, or does not answer.
        """
        requests: list[base.Frame] = []
        for source, count in prefetch.items():
            requests.append(commands.Basic.Qos(0, count, False))
            requests.append(commands.Basic.Consume(0, self._name(source), self._tag(source)))
        self._ahead = prefetch.get(MAIN, 1)
        self._flush_at = max(self._ahead // 4, 1)
        await self.channel.call_all(requests, TIMEOUT)

    async def stop(self, sources: Iterable[str]) -> None:
        """Take no more from these; what came can still be settled. Raises as ``start`` does."""
        tags = [self.active.pop(source) for source in sources if source in self.active]
        await self.channel.call_all([commands.Basic.Cancel(tag) for tag in tags], TIMEOUT)

    async def widen(self, prefetch: int) -> None:
        """Hold another number of messages of the main queue from now on. Raises as ``start`` does.

        That ends one consumer and begins another. The broker hears of acks only afterwards, and so hands out nothing
        meanwhile: a quorum queue takes back what is under way to a consumer that has ended, and such a message would come
        later than those behind it, as if another consumer had had it.
        """
        self._silent = True
        try:
            await self._all_came()
            self._ahead = prefetch
            self._flush_at = max(prefetch // 4, 1)
            requests: Sequence[base.Frame] = [
                commands.Basic.Cancel(self.active[MAIN]),
                commands.Basic.Qos(0, prefetch, False),
                commands.Basic.Consume(0, self._name(MAIN), self._tag(MAIN)),
            ]
            await self.channel.call_all(requests, TIMEOUT)
        finally:
            self._silent = False
            self.flush()

    async def _all_came(self) -> None:
        """Wait until the broker has handed out as many as it may, or nothing more is under way."""
        came, still = self.came, 0.0
        while self._watermark.out < self._ahead and still < _STILL:
            await asyncio.sleep(_LOOK)
            still = still + _LOOK if came == self.came else 0.0
            came = self.came

    async def waiting(self, sources: Iterable[str]) -> int:
        """Return how many messages wait at the broker; all that it sent before its answer has come then.

        Ask only for sources that are consumed. An answer that tells of no consumer counts as one message: a quorum
        queue's is all zeros when its leader is away, or does not answer within 250 ms. Raises as ``start`` does.
        """
        requests: Sequence[base.Frame] = [
            commands.Queue.Declare(0, self._name(source), passive=True) for source in sources
        ]
        answers = await self.channel.call_all(requests, TIMEOUT)
        # one more question: the broker may have answered with its counts before it delivered what it was about to
        await self.channel.call(commands.Basic.Qos(0, 1, False), TIMEOUT)
        return sum(
            (answer.message_count or 0) if answer.consumer_count else 1
            for answer in answers
            if isinstance(answer, commands.Queue.DeclareOk)
        )

    async def close(self, grace: float) -> None:
        """Tell the broker what was acked, and close, within ``grace`` seconds; what is unsettled goes back."""
        self._silent = False
        self.flush()
        try:
            async with asyncio.timeout(grace):
                # the consumer of keys ends only with the channel, which gives its lanes back: if it ended before, another
                # worker would get what follows them first
                await self.stop(tuple(source for source in self.active if source != KEYS))
                for _ in range(_ROUNDS):
                    await self.channel.call(commands.Basic.Qos(0, 1, False), grace)
        except (WireFault, TimeoutError):
            pass
        await self.channel.close(grace)

    # --- settling ---------------------------------------------------------------------------------------------------

    def hand_out(self, deliveries: Sequence[Delivery]) -> None:
        """Note that they are handed out."""
        out = self.out
        for delivery in deliveries:
            receipt: Receipt = delivery.receipt
            out[receipt.tag] = receipt

    def reclaim(self, receipt: Receipt) -> bool:
        """Take back a delivery that is handed out; False where its receipt is not valid, or not any more."""
        if self.channel.error is not None or self.out.get(receipt.tag) is not receipt:
            return False
        del self.out[receipt.tag]
        return True

    def ack(self, tag: int) -> None:
        """Note that a message is done with; the broker is told with the next flush."""
        watermark = self._watermark
        watermark.ack(tag)
        if watermark.waiting >= self._flush_at:
            self.flush()
        elif self._flushing is None:
            self._flushing = self._loop.call_later(_FLUSH, self.flush)

    def give_back(self, tags: Sequence[int]) -> None:
        """Return messages to the queue, in their order."""
        if not tags or self.channel.error is not None:
            return
        self.flush()
        for tag in tags:
            self._watermark.told(tag)
        self.channel.send(self.channel.writer.requeues(sorted(tags)))

    def flush(self) -> None:
        """Tell the broker what was acked."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        if self._silent or self.channel.error is not None or not self._watermark.waiting:
            return
        mark, multiple, rest = self._watermark.flush()
        writer = self.channel.writer
        data = writer.ack(mark, multiple=multiple) if mark else b""
        self.channel.send(data + writer.acks(rest) if rest else data)

    # --- what the channel tells -------------------------------------------------------------------------------------

    def delivered(self, tag: int, consumer: bytes, properties_: bytes, body: bytes, again: int) -> None:
        """Make a delivery of what came."""
        self.came += 1
        self._watermark.delivered(tag)
        read = properties.read(properties_)
        source = self._sources.get(consumer, MAIN)
        key: str | None = None
        wait = 0.0
        if read.headers is None:
            headers = self._headers.get(read.content_type)
            if headers is None:
                headers = {"content-type": read.content_type} if read.content_type else {}
                if len(self._headers) < 64:
                    self._headers[read.content_type] = headers
        else:
            found = read.headers
            if isinstance(found.get(KEY), str):
                key = str(found[KEY])
            due = found.get(DUE)
            if isinstance(due, int):
                wait = max(due / 1000 - self._clock(), 0.0)
            headers = {
                name: properties.text(value)
                for name, value in found.items()
                if name not in {KEY, DUE} and not name.startswith(_BROKERS_OWN)
            }
            if read.content_type:
                headers["content-type"] = read.content_type
        self.prefetched.add(
            Delivery(
                queue=self._queue,
                id=read.id,
                body=body,
                receipt=Receipt(self, tag, source),
                headers=headers,
                key=key,
                deaths=self._deaths if source == DEAD else 0,
                redelivered=again == 1 or source == DEAD,
            ),
            wait,
        )

    def cancelled(self, consumer: str) -> None:
        """End this generation: a consumer's queue is gone, or moved."""
        queue = self._name(self._sources.get(consumer.encode(), MAIN))
        self._end(f"the broker ended the consumer of {queue!r}: the queue was deleted or moved")

    def closed(self, error: ChannelClosed | ConnectionLost) -> None:
        """End this generation: its channel is closed."""
        self._end(str(error))

    def _end(self, reason: str) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        if not self.ended.done():
            self.prefetched.clear()
            self.ended.set_result(reason)

    def _tag(self, source: str) -> str:
        """Name a new consumer.

        Never twice on one channel: RabbitMQ 3.10 mixes up what it delivered to a quorum queue's consumer with
        what it delivers to the next one of the same tag, and ends the connection with an internal error.
        """
        tag = f"{source}.{len(self._sources) + 1}"
        self._sources[tag.encode()] = source
        self.active[source] = tag
        return tag

    def _name(self, source: str) -> str:
        if source == MAIN:
            return self._queue
        return names.keys(self._queue) if source == KEYS else names.dead(self._queue)
