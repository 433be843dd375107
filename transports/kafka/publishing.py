"""Publishing: record batches are made here, with one future each: one for each message would cost four times as much."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer, errors

from transports.kafka import encoding
from transports.kafka.connection import Connection
from transports.kafka.driver import dismiss
from transports.kafka.names import LEVELS, Names, level_for
from transports.kafka.partitioning import Turns, by_key
from transports.kafka.topology import Topology
from worker.errors import TransportUnavailable
from worker.messaging.refusal import refusal
from worker.messaging.transport import ACCEPTED, Outcome, OutcomeKind, Outgoing

_TOO_LARGE = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError)
_REFUSED = (
    *_TOO_LARGE,
    errors.InvalidTopicError,
    errors.TopicAuthorizationFailedError,
    errors.PolicyViolationError,
)


class Part:
    """Messages of one call that go to one partition, as many as fit into one batch."""

    __slots__ = ("builder", "indexes", "partition", "topic")

    def __init__(self, topic: str, partition: int, builder: Any) -> None:
        self.topic = topic
        self.partition = partition
        self.builder = builder
        self.indexes: list[int] = []


class Publisher:
    """Publishes batches; owns the producer, and throws it away when it gets stuck.

    Args:
        connection: makes producers.
        topology: tells which topics there are.
        topic_names: where a queue's messages go.
        clock: seconds since the epoch; delays follow it.
    """

    def __init__(
        self, connection: Connection, topology: Topology, topic_names: Names, clock: Callable[[], float]
    ) -> None:
        self._connection = connection
        self._topology = topology
        self._names = topic_names
        self._clock = clock
        self._turns = Turns()
        self._producer: AIOKafkaProducer | None = None
        self._opening = asyncio.Lock()
        self._enqueueing = asyncio.Lock()
        self._waiting: list[tuple[Sequence[Outgoing], asyncio.Future[Sequence[Outcome]]]] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self._dismissing: set[asyncio.Task[None]] = set()

    async def open(self) -> AIOKafkaProducer:
        """Return the producer, started.

        Raises:
            TransportUnavailable: the brokers do not answer.
        """
        async with self._opening:
            if self._producer is None:
                producer = self._connection.producer()
                try:
                    await self._connection.connected("connecting", producer.start())
                except BaseException:
                    self._dismiss(producer)
                    raise
                self._producer = producer
            return self._producer

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish, and return when each message's outcome is known; goes on when the caller is cancelled.

        The messages of all calls of one turn of the loop are sent together.

        Raises:
            TransportUnavailable: none of them was taken.
        """
        answer: asyncio.Future[Sequence[Outcome]] = asyncio.get_running_loop().create_future()
        self._waiting.append((batch, answer))
        if len(self._waiting) == 1:
            task = asyncio.ensure_future(self._flush())
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return await answer

    async def close(self) -> None:
        """Finish what is under way, within about ``timeout``; let go of the producer."""
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=self._connection.settings.timeout + 1.0)
        producer, self._producer = self._producer, None
        if producer is not None:
            self._dismiss(producer)
        if self._dismissing:
            await asyncio.wait(set(self._dismissing))

    async def _flush(self) -> None:
        calls, self._waiting = self._waiting, []
        batch = calls[0][0]
        if len(calls) > 1:
            batch = [message for messages, _ in calls for message in messages]
        try:
            outcomes = await self._publish(batch)
        except TransportUnavailable as error:
            for _, answer in calls:
                if not answer.done():
                    answer.set_exception(error)
            return
        start = 0
        for messages, answer in calls:
            if not answer.done():
                answer.set_result(outcomes[start : start + len(messages)])
            start += len(messages)

    async def _publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        loop = asyncio.get_running_loop()
        limit = self._connection.settings.timeout
        end = loop.time() + limit
        producer = await self.open()
        outcomes: dict[int, Outcome] = {}
        topics = await self._targets(batch, outcomes)
        sent: list[tuple[Part, asyncio.Future[Any]]] = []
        try:
            async with asyncio.timeout_at(end), self._enqueueing:  # in order: a later call must not overtake
                for part in self._parts(producer, batch, topics):
                    future = await producer.send_batch(part.builder, part.topic, partition=part.partition)
                    sent.append((part, future))
        except (TimeoutError, errors.KafkaError, OSError, AssertionError) as error:
            self._throw_away(producer)
            if not sent and not outcomes:
                raise self._connection.unavailable("publishing", error) from error
        if sent:
            await asyncio.wait([future for _, future in sent], timeout=max(end - loop.time(), 0.0))
        for part, future in sent:
            if future.done():
                await self._note(batch, part, future, outcomes)
            else:
                self._throw_away(producer)
        unknown = Outcome(OutcomeKind.UNKNOWN, f"no answer within {limit:g} s")
        return [outcomes.get(index, unknown) for index in range(len(batch))]

    async def _targets(self, batch: Sequence[Outgoing], outcomes: dict[int, Outcome]) -> Mapping[int, str]:
        """Return the topic of each message that can be sent, by index; note the outcome of each that cannot."""
        limit = self._connection.settings.max_bytes
        found: dict[int, str] = {}
        for index, message in enumerate(batch):
            reason = refusal(message, limit)
            if reason is None and message.delay > LEVELS[-1].seconds:
                reason = f"its delay is {message.delay:g} s, the longest on Kafka is {LEVELS[-1].seconds:g} s"
            if reason is not None:
                outcomes[index] = Outcome(OutcomeKind.REFUSED, reason)
            elif message.delay > 0 and message.key is None:
                found[index] = self._names.delayed(message.queue, level_for(message.delay))
            else:
                found[index] = self._names.topic(message.queue)
        known = self._topology.known
        if any(topic not in known for topic in found.values()):
            await self._topology.refresh()
            known = self._topology.known
            for index in [index for index, topic in found.items() if topic not in known]:
                detail = f"queue {batch[index].queue!r}: there is no topic {found.pop(index)}"
                outcomes[index] = Outcome(OutcomeKind.UNROUTABLE, detail)
        return found

    def _parts(
        self,
        producer: AIOKafkaProducer,
        batch: Sequence[Outgoing],
        topics: Mapping[int, str],
    ) -> Sequence[Part]:
        """Put messages into batches by partition; those of one partition stay in order."""
        now = self._clock()
        stamp = int(time.time() * 1000)
        parts: list[Part] = []
        open_parts: dict[tuple[str, int], Part] = {}
        for index, topic in topics.items():
            message = batch[index]
            partitions = self._topology.known[topic].partitions
            key = None if message.key is None else message.key.encode()
            partition = self._turns.take(topic, partitions) if key is None else by_key(key, partitions)
            headers = encoding.headers(message, now + message.delay if message.delay > 0 else 0.0)
            part = open_parts.get((topic, partition))
            if part is not None:
                taken = part.builder.append(timestamp=stamp, key=key, value=message.body, headers=headers)
                if taken is not None:
                    part.indexes.append(index)
                    continue
            part = Part(topic, partition, producer.create_batch())
            part.builder.append(timestamp=stamp, key=key, value=message.body, headers=headers)
            part.indexes.append(index)
            open_parts[topic, partition] = part
            parts.append(part)
        self._turns.pass_on()
        return parts

    async def _note(
        self,
        batch: Sequence[Outgoing],
        part: Part,
        future: asyncio.Future[Any],
        outcomes: dict[int, Outcome],
    ) -> None:
        error = future.exception()
        if error is None:
            outcomes.update(dict.fromkeys(part.indexes, ACCEPTED))
            return
        if isinstance(error, _TOO_LARGE) and len(part.indexes) > 1:
            # together they pass the broker's limit; each by itself may not
            for index in part.indexes:
                (outcomes[index],) = await self._publish([batch[index]])
            return
        text = str(error) or type(error).__name__
        kind = OutcomeKind.UNKNOWN
        if isinstance(error, _REFUSED):
            kind = OutcomeKind.REFUSED
        elif isinstance(error, errors.UnknownTopicOrPartitionError):
            kind = OutcomeKind.UNROUTABLE
            self._topology.known.pop(part.topic, None)
        outcomes.update(dict.fromkeys(part.indexes, Outcome(kind, text)))

    def _throw_away(self, producer: AIOKafkaProducer) -> None:
        """Stop using a producer that is stuck: what it still holds it would send long afterwards."""
        if self._producer is producer:
            self._producer = None
            self._dismiss(producer)

    def _dismiss(self, producer: AIOKafkaProducer) -> None:
        task = asyncio.ensure_future(dismiss(producer, 2.0))
        self._dismissing.add(task)
        task.add_done_callback(self._dismissing.discard)
