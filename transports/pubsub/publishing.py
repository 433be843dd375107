"""Publishing: messages of one topic, or of one key of it, in one request after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from transports.gathering import Gathering
from transports.pubsub import wire
from transports.pubsub.connection import Connection
from transports.pubsub.encoding import encode, sent, unfit
from transports.pubsub.faults import Failed
from transports.pubsub.features import BATCH
from transports.pubsub.topology import QueueTopic, Topology
from worker.errors import TransportUnavailable
from worker.messaging.refusal import refusal
from worker.messaging.transport import ACCEPTED, Outcome, OutcomeKind, Outgoing

_BYTES = 9_990_000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


class _Part(NamedTuple):
    """What one caller publishes to one lane, and where it stands in the caller's batch."""

    messages: list[Any]
    places: list[int]
    size: int


class Publisher:
    """Publishes, together with what else is published meanwhile; one request a lane at a time keeps the lane's order.

    Args:
        connection: to the service.
        topology: tells where messages go.
    """

    def __init__(self, connection: Connection, topology: Topology) -> None:
        self._connection = connection
        self._topology = topology
        self._timeout = connection.settings.timeout
        self._max_bytes = connection.settings.max_bytes
        self._lanes: dict[tuple[str, str], Gathering[_Part, list[Outcome]]] = {}

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish; one outcome for each message, in order.

        Raises:
            TransportUnavailable: none of them was taken.
        """
        topics = await self._topics({message.queue for message in batch})
        outcomes: list[Outcome | None] = [None] * len(batch)
        lanes: dict[tuple[str, str], list[_Part]] = {}
        for place, message in enumerate(batch):
            topic = topics[message.queue]
            if topic is None:
                outcomes[place] = _unroutable(message.queue)
            elif reason := refusal(message, self._max_bytes) or unfit(message):
                outcomes[place] = Outcome(OutcomeKind.REFUSED, reason)
            else:
                _add(lanes.setdefault((message.queue, _lane(message, topic)), []), place, message, topic)
        sent = [(part, self._submit(lane, part)) for lane, parts in lanes.items() for part in parts]
        await self._collect(sent, outcomes)
        return [outcome for outcome in outcomes if outcome is not None]

    async def finish(self) -> None:
        """Wait until everything that was asked for is answered."""
        for lane in tuple(self._lanes.values()):
            await lane.finish()

    async def _topics(self, queues: set[str]) -> dict[str, QueueTopic | None]:
        found: dict[str, QueueTopic | None] = {queue: self._topology.known(queue) for queue in queues}
        unknown = [queue for queue, topic in found.items() if topic is None]
        if unknown:
            found.update(
                zip(
                    unknown,
                    await asyncio.gather(*(self._topology.topic_of(queue) for queue in unknown)),
                    strict=True,
                )
            )
        return found

    async def _collect(
        self,
        sent: Sequence[tuple[_Part, asyncio.Future[list[Outcome]]]],
        outcomes: list[Outcome | None],
    ) -> None:
        down: TransportUnavailable | None = None
        for part, future in sent:
            try:
                answers = await future
            except TransportUnavailable as error:
                down = error
                answers = [Outcome(OutcomeKind.UNKNOWN, str(error))] * len(part.places)
            for place, outcome in zip(part.places, answers, strict=True):
                outcomes[place] = outcome
        doubtful = isinstance(down, Failed) and down.doubtful
        if (
            down is not None
            and not doubtful
            and all(o is not None and o.kind is OutcomeKind.UNKNOWN for o in outcomes)
        ):
            raise down

    def _submit(self, lane: tuple[str, str], part: _Part) -> asyncio.Future[list[Outcome]]:
        gathering = self._lanes.get(lane)
        if gathering is None:
            queue, _ = lane
            gathering = self._lanes[lane] = Gathering(
                lambda parts: self._send(queue, parts),
                lambda part: max(len(part.places) / BATCH, part.size / _BYTES),
            )
        future = gathering.submit(part)
        if lane[1]:  # keys come and go
            future.add_done_callback(lambda _: asyncio.get_running_loop().call_soon(self._drop, lane))
        return future

    def _drop(self, lane: tuple[str, str]) -> None:
        gathering = self._lanes.get(lane)
        if gathering is not None and gathering.idle:
            del self._lanes[lane]

    async def _send(self, queue: str, parts: Sequence[_Part]) -> list[list[Outcome]]:
        end = asyncio.get_running_loop().time() + self._timeout
        outcomes = await self._request(queue, [message for part in parts for message in part.messages], end)
        divided, start = [], 0
        for part in parts:
            divided.append(outcomes[start : start + len(part.places)])
            start += len(part.places)
        return divided

    async def _request(self, queue: str, messages: list[Any], end: float) -> list[Outcome]:
        """Send one request, again and again while that may help and until ``end``; the lane's next ones wait.

        Raises:
            TransportUnavailable: none of them was taken.
        """
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE
        doubtful = repaired = False
        while True:
            sent = False
            try:
                topic = self._topology.known(queue) or await self._topology.topic_of(queue)
                if topic is None:
                    return [_unroutable(queue)] * len(messages)
                sent = True
                request = wire.Publish(topic=topic.name, messages=messages)
                answer = await self._connection.call(wire.PUBLISH, request, max(end - loop.time(), 0.1))
                if (confirmed := len(answer.message_ids)) != len(messages):
                    told = f"{confirmed} of {len(messages)} messages were confirmed"
                    return [Outcome(OutcomeKind.UNKNOWN, told)] * len(messages)
                return [ACCEPTED] * len(messages)
            except Failed as error:
                doubtful = doubtful or (sent and error.doubtful)
                if error.code in {"NOT_FOUND", "UNAVAILABLE"}:
                    # a service that was away may be back without its subscriptions
                    self._topology.forget(queue)
                if error.code == "NOT_FOUND":
                    if repaired:
                        return [_unroutable(queue)] * len(messages)
                    repaired = True
                    continue
                if error.code in {"INVALID_ARGUMENT", "OUT_OF_RANGE"}:
                    if len(messages) == 1:
                        return [Outcome(OutcomeKind.REFUSED, str(error))]
                    return await self._by_halves(queue, messages, end)
                if not error.passes or loop.time() + pause >= end:
                    if doubtful:
                        return [Outcome(OutcomeKind.UNKNOWN, str(error))] * len(messages)
                    raise TransportUnavailable(str(error)) from None
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _by_halves(self, queue: str, messages: list[Any], end: float) -> list[Outcome]:
        """Send each half by itself: only the message at fault shall be refused.

        Raises:
            TransportUnavailable: none of them was taken.
        """
        half = len(messages) // 2
        outcomes = await self._request(queue, messages[:half], end)
        rest = messages[half:]
        try:
            return [*outcomes, *await self._request(queue, rest, end)]
        except TransportUnavailable as error:
            # to raise it would deny what became of the first half
            return [*outcomes, *[Outcome(OutcomeKind.UNKNOWN, str(error))] * len(rest)]


def _lane(message: Outgoing, topic: QueueTopic) -> str:
    return sent(message.key) or "" if topic.keyed else ""


def _add(parts: list[_Part], place: int, message: Outgoing, topic: QueueTopic) -> None:
    made, size = encode(message, ordered=topic.keyed)
    last = parts[-1] if parts else None
    if last is None or len(last.places) >= BATCH or last.size + size > _BYTES:
        parts.append(_Part([made], [place], size))
    else:
        last.messages.append(made)
        last.places.append(place)
        parts[-1] = last._replace(size=last.size + size)


def _unroutable(queue: str) -> Outcome:
    return Outcome(
        OutcomeKind.UNROUTABLE, f"queue {queue!r} has no topic with a subscription; run: worker setup"
    )
