"""A queue's group, and this process as its member: one life after another, whatever the brokers do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from transports.kafka.admin import Admin
from transports.kafka.connection import Connection
from transports.kafka.holdings import Holdings
from transports.kafka.names import Names
from transports.kafka.publishing import Publisher
from transports.kafka.session import Session
from transports.kafka.subscription import KafkaSubscription
from transports.kafka.topics import Topics
from worker.errors import TransportUnavailable
from worker.messaging.transport import Delivery, Outcome, Outgoing

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_TOPIC_POLL = 0.25

log = structlog.stdlib.get_logger("worker.kafka")


class Owner(Protocol):
    """What a member asks of its transport."""

    connection: Connection
    admin: Admin
    topics: Topics
    names: Names
    publisher: Publisher
    clock: Callable[[], float]

    def forget(self, member: GroupMember) -> None:
        """It has left its group."""
        ...


class GroupMember:
    """Holds partitions of one queue for the subscriptions of this process.

    Attributes:
        down: why nothing can be received; None while the brokers answer.
        paused: every subscription is paused.
    """

    def __init__(self, owner: Owner, queue: str) -> None:
        self.queue = queue
        self.clock = owner.clock
        self.down: str | None = None
        self.paused = False
        self.holdings = Holdings(queue, owner.clock)
        self._owner = owner
        self._subscriptions: list[KafkaSubscription] = []
        self._session: Session | None = None
        self._joined = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def subscribe(self) -> KafkaSubscription:
        """Hand out to one more; the first makes the member join."""
        subscription = KafkaSubscription(self)
        self._subscriptions.append(subscription)
        if self._running is None:
            self._running = asyncio.ensure_future(self._run())
        self.changed()
        return subscription

    async def leave(self, subscription: KafkaSubscription, grace: float) -> None:
        """Hand out to one less; after the last one leave the group."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
        if self._subscriptions:
            self.changed()
            self.wake()
        else:
            await self.close(grace)

    async def close(self, grace: float) -> None:
        """Commit what is done and leave the group."""
        self._owner.forget(self)
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.wait({running})
        session, self._session = self._session, None
        if session is not None:
            await session.close(grace)
        for subscription in tuple(self._subscriptions):
            await subscription.close(0.0)

    def hand_out(self, limit: int) -> Sequence[Delivery]:
        """Hand out what is ready, unless partitions are on their way to another process."""
        session = self._session
        if session is None or not session.handing:
            return []
        handed = self.holdings.hand_out(limit)
        if handed:
            session.room_made()
        return handed

    def settled(self) -> None:
        """Something was settled: there may be room, or something ready for somebody."""
        if self._session is not None:
            self._session.room_made()
        if self.holdings.ready or self.holdings.next_due() is not None:
            self.wake()

    def changed(self) -> None:
        """A subscription was paused, goes on, came or went."""
        paused = bool(self._subscriptions) and all(one.paused for one in self._subscriptions)
        if paused != self.paused:
            self.paused = paused
            if self._session is not None:
                self._session.pause()

    def recall(self) -> None:
        """Ask for what was handed out and not started."""
        for subscription in self._subscriptions:
            if subscription.recalled is not None:
                subscription.recalled()

    def wake(self) -> None:
        """Let everyone who waits look again."""
        for subscription in self._subscriptions:
            subscription.wakened.set()

    async def joined(self) -> None:
        """Wait until the group has assigned partitions."""
        while self._session is None or not self._session.joined.is_set():
            self._joined.clear()
            await self._joined.wait()

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish next attempts."""
        return await self._owner.publisher.publish(batch)

    async def _run(self) -> None:
        pause = _FIRST_PAUSE
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            try:
                await self._live()
            except asyncio.CancelledError:
                raise
            except BaseExceptionGroup as group:
                self._fail(group.exceptions[0])
            except Exception as error:
                self._fail(error)
            await self._end_session()
            if loop.time() - started > _LONGEST_PAUSE:
                pause = _FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _live(self) -> None:
        owner = self._owner
        own, *_ = topics = owner.names.all(self.queue)
        while not all(topic in owner.topics.known for topic in topics):
            await owner.topics.refresh()
            self.down = None
            if all(topic in owner.topics.known for topic in topics):
                break
            await asyncio.sleep(_TOPIC_POLL)
        self._session = session = Session(self, owner.connection, owner.admin, topics, self.holdings)
        announcing = asyncio.ensure_future(self._announce(session))
        try:
            log.debug("joining", group=own)
            await session.run()
        finally:
            announcing.cancel()

    async def _announce(self, session: Session) -> None:
        await session.joined.wait()
        self._joined.set()

    async def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close(1.0)

    def _fail(self, error: BaseException) -> None:
        if not isinstance(error, TransportUnavailable):
            log.warning("consumer failed; it joins anew", queue=self.queue, error=repr(error))
            error = self._owner.connection.unavailable(f"consuming {self.queue}", error)
        self.down = str(error)
        self.wake()
