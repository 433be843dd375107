"""A consumer's hold on one queue: it receives what this process's member of the group has read."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from transports.kafka.window import Entry
from transports.kafka.windows import Windows
from worker.errors import TransportUnavailable
from worker.messaging.transport import Ack, Again, Delivery, Outcome, Outgoing, Release, Settled, Settlement

RETURN_AFTER = 5.0
"""Seconds after which a message whose next attempt could not be published is handed out again."""

_LONGEST_SLEEP = 2.0
"""Seconds after which a ``receive`` that waits until a message is due looks again: the machine may have slept meanwhile."""


class Member(Protocol):
    """What a subscription asks of the process's member of the group."""

    windows: Windows

    @property
    def down(self) -> str | None:
        """Why nothing can be received; None while the brokers answer."""
        ...

    def hand_out(self, limit: int) -> Sequence[Delivery]:
        """Hand out what is ready."""
        ...

    def settled(self) -> None:
        """Hear that something was settled: there may be room to read more, or something ready."""
        ...

    def changed(self) -> None:
        """Hear that a subscription was paused or resumed."""
        ...

    async def joined(self) -> None:
        """Wait until the group has assigned partitions."""
        ...

    async def exhausted(self) -> bool:
        """Whether all that waits for this process was read, and handed out."""
        ...

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish next attempts."""
        ...

    async def leave(self, subscription: KafkaSubscription, grace: float) -> None:
        """Drop a subscription."""
        ...


class KafkaSubscription:
    """Takes from what the member holds; several subscriptions in one process share that.

    Attributes:
        recalled: called when partitions go to another process: what was not started should be given back.
    """

    def __init__(self, member: Member) -> None:
        self.wakened = asyncio.Event()
        self.paused = False
        self.recalled: Callable[[], None] | None = None
        self._member = member
        self._closed = False

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        """Take up to ``limit`` messages; wait up to ``wait`` seconds for the first.

        Raises:
            TransportUnavailable: the brokers do not answer.
        """
        member = self._member
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        await asyncio.sleep(0)  # a consumer that always finds something must not keep the loop to itself
        while not self._closed:
            self.wakened.clear()
            due: float | None = None
            if not self.paused and limit > 0:
                deliveries = member.hand_out(limit)
                if deliveries:
                    return deliveries
                if member.down is not None:
                    raise TransportUnavailable(member.down)
                due = member.windows.wait()
            left = deadline - loop.time()
            if left <= 0:
                break
            if due is not None:
                # a little late rather than early: a timer that fires before its time would find nothing
                left = min(left, due + 0.001, _LONGEST_SLEEP)
            try:
                async with asyncio.timeout(left):
                    await self.wakened.wait()
            except TimeoutError:
                pass
        return []

    async def exhausted(self) -> bool:
        """Whether nothing more waits in the partitions that this process has; False until it has its share of them.

        Raises:
            TransportUnavailable: the brokers do not answer.
        """
        if self._member.down is not None:
            raise TransportUnavailable(self._member.down)
        return await self._member.exhausted()

    async def settle(self, items: Sequence[Settlement]) -> Sequence[Settled]:
        """Settle at once; a message that must be published again is settled when the brokers have confirmed its copy."""
        windows = self._member.windows
        answers: list[Settled] = []
        copies: dict[int, tuple[Entry, Outgoing]] = {}
        for kind, alike in itertools.groupby(items, type):
            if kind is Ack:
                answers += windows.ack([item.delivery for item in alike])
                continue
            for item in alike:
                if isinstance(item, Release):
                    answers.append(windows.release(item.delivery, item.delay))
                elif isinstance(item, Again) and _in_place(item):
                    answers.append(windows.again(item.delivery, item.outgoing))
                elif isinstance(item, Again):
                    entry = windows.begin_copy(item.delivery)
                    if entry is not None:
                        copies[len(answers)] = (entry, item.outgoing)
                    answers.append(Settled.LOST)
        if copies:
            await self._copy(copies, answers)
        self._member.settled()
        return answers

    async def pause(self) -> None:
        """Stop taking. What was read and not handed out stays uncommitted: it goes where the partition goes."""
        self.paused = True
        self._member.changed()

    async def resume(self) -> None:
        """Take again."""
        self.paused = False
        self.wakened.set()
        self._member.changed()

    async def joined(self) -> None:
        """Wait until the group has assigned partitions to this process, maybe none."""
        await self._member.joined()

    async def close(self, grace: float) -> None:
        """End a waiting ``receive``; the last subscription of a process's member commits and leaves the group."""
        if self._closed:
            return
        self._closed = True
        self.wakened.set()
        await self._member.leave(self, grace)

    async def _copy(self, copies: Mapping[int, tuple[Entry, Outgoing]], answers: list[Settled]) -> None:
        windows = self._member.windows
        outcomes: Sequence[Outcome | None] = [None] * len(copies)
        try:
            outcomes = await self._member.publish([outgoing for _, outgoing in copies.values()])
        except TransportUnavailable:
            pass  # the answer for each is UNKNOWN
        finally:
            for (index, (entry, _)), outcome in zip(copies.items(), outcomes, strict=True):
                published = outcome is not None and outcome.accepted
                answers[index] = windows.end_copy(entry, published=published, delay=RETURN_AFTER)


def _in_place(item: Again) -> bool:
    """Whether the next attempt takes the message's place, so that later messages of its key do not overtake it."""
    delivery, outgoing = item.delivery, item.outgoing
    return outgoing.key is not None and (outgoing.queue, outgoing.key) == (delivery.queue, delivery.key)
