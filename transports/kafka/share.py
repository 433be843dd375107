"""A queue as this process consumes it: what is held of it, and the subscriptions that share it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from transports.kafka.session import Session
from transports.kafka.subscription import KafkaSubscription
from transports.kafka.windows import Windows
from worker.messaging.transport import Delivery, Outcome, Outgoing


class Group(Protocol):
    """What a share asks of the process's member of the group."""

    session: Session | None
    clock: Callable[[], float]

    @property
    def down(self) -> str | None:
        """Why nothing can be received."""
        ...

    async def joined(self) -> None:
        """Wait until the group has assigned partitions."""
        ...

    async def exhausted(self, share: Share) -> bool:
        """Whether all of a queue that waits for this process was read."""
        ...

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish next attempts."""
        ...

    async def drop(self, share: Share, grace: float) -> None:
        """Let go of a queue that has no subscription any more."""
        ...


class Share:
    """Hands one queue out; several subscriptions in one process share it.

    Attributes:
        paused: every subscription is paused.
        gone: the last one is closed; what it had not settled is not waited for.
    """

    def __init__(self, group: Group, queue: str) -> None:
        self.queue = queue
        self.paused = False
        self.gone = False
        self.windows = Windows(queue, group.clock)
        self._group = group
        self._subscriptions: list[KafkaSubscription] = []

    @property
    def down(self) -> str | None:
        """Why nothing can be received; None while the brokers answer."""
        return self._group.down

    def subscribe(self) -> KafkaSubscription:
        """Add a subscription."""
        subscription = KafkaSubscription(self)
        self._subscriptions.append(subscription)
        self.changed()
        return subscription

    async def leave(self, subscription: KafkaSubscription, grace: float) -> None:
        """Remove a subscription; after the last one let go of the queue."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
        if self._subscriptions:
            self.changed()
            self.wake()
        else:
            await self._group.drop(self, grace)

    async def close(self) -> None:
        """Close all subscriptions, so that none waits any more: the member has left its group."""
        for subscription in tuple(self._subscriptions):
            await subscription.close(0.0)

    def hand_out(self, limit: int) -> Sequence[Delivery]:
        """Hand out what is ready, unless partitions are on their way to another process."""
        session = self._group.session
        if session is None or not session.handing:
            return []
        handed = self.windows.hand_out(limit)
        if handed:
            session.room_made()
        return handed

    def settled(self) -> None:
        """Note that something was settled: there may be room to read more, or something to hand out."""
        session = self._group.session
        if session is not None:
            session.room_made()
        if self.windows.ready or self.windows.wait() is not None:
            self.wake()

    def changed(self) -> None:
        """Note that a subscription was paused or resumed, came or went."""
        paused = bool(self._subscriptions) and all(one.paused for one in self._subscriptions)
        if paused != self.paused:
            self.paused = paused
            if self._group.session is not None:
                self._group.session.pause()

    def recall(self) -> None:
        """Ask for what was handed out and not started."""
        for subscription in self._subscriptions:
            if subscription.recalled is not None:
                subscription.recalled()

    def wake(self) -> None:
        """Let every waiting ``receive`` look again."""
        for subscription in self._subscriptions:
            subscription.wakened.set()

    async def joined(self) -> None:
        """Wait until the group has assigned partitions."""
        await self._group.joined()

    async def exhausted(self) -> bool:
        """Whether all that waits for this process was read, and handed out."""
        read = await self._group.exhausted(self)
        return read and not self.windows.ready

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish next attempts."""
        return await self._group.publish(batch)
