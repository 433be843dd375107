"""A process's membership in a group: one session after another, whatever the brokers do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog
from aiokafka import TopicPartition, errors

from transports.kafka import predecessor
from transports.kafka.administration import Administration
from transports.kafka.bundle import Bundle
from transports.kafka.commits import Commit, Commits
from transports.kafka.connection import Connection
from transports.kafka.counting import Counter
from transports.kafka.names import Names
from transports.kafka.publishing import Publisher
from transports.kafka.session import Session
from transports.kafka.share import Share
from transports.kafka.subscription import KafkaSubscription
from transports.kafka.topology import Topology
from worker.errors import TransportUnavailable
from worker.messaging.transport import Outcome, Outgoing

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_TOPIC_POLL = 0.25
_REMIND = 3600.0
"""Seconds after which it is noted again that queues are in the shared group: brokers forget that after a week by default."""

_GATHER = 0.2
"""Seconds in which queues that come or go are gathered: each change of a member's queues costs a join."""

log = structlog.stdlib.get_logger("worker.kafka")


class KafkaOwner(Protocol):
    """What a member asks of its transport."""

    connection: Connection
    administration: Administration
    topology: Topology
    names: Names
    commits: Commits
    publisher: Publisher
    counter: Counter
    clock: Callable[[], float]

    def forget(self, member: GroupMember) -> None:
        """Drop a member: it has left its group."""
        ...


class GroupMember:
    """Holds partitions of a group's queues, one or several, for the subscriptions of this process.

    Attributes:
        down: why nothing can be received; None while the brokers answer.
        session: the present session.
    """

    def __init__(self, owner: KafkaOwner, group: str) -> None:
        self.group = group
        self.clock = owner.clock
        self.down: str | None = None
        self.session: Session | None = None
        self._owner = owner
        self._shares: dict[str, Share] = {}
        self._by_topic: dict[str, Share] = {}
        self._changed = asyncio.Event()
        self._joined = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    @property
    def paused(self) -> bool:
        """Whether every queue is paused."""
        return all(share.paused for share in self._shares.values())

    def stopped(self, topic: str) -> bool:
        """Whether nothing may be read of a topic."""
        return self._by_topic[topic].paused

    def subscribe(self, queue: str) -> KafkaSubscription:
        """Make one more subscription; the first makes the member join, each further queue makes it join anew."""
        share = self._shares.get(queue)
        if share is None:
            share = self._shares[queue] = Share(self, queue)
            self._changed.set()
        if self._running is None:
            self._running = asyncio.ensure_future(self._run())
        return share.subscribe()

    async def drop(self, share: Share, grace: float) -> None:
        """Let go of a queue that has no subscription any more; with the last one leave the group."""
        if self._shares.get(share.queue) is not share:
            return
        del self._shares[share.queue]
        share.gone = True
        if self._shares:
            self._changed.set()
        else:
            await self.close(grace)

    async def close(self, grace: float) -> None:
        """Commit what is done and leave the group."""
        self._owner.forget(self)
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.wait({running})
        await self._end_session(grace)
        for share in tuple(self._shares.values()):
            await share.close()

    def recall(self) -> None:
        """Ask for what was handed out and not started."""
        for share in tuple(self._shares.values()):
            share.recall()

    def wake(self) -> None:
        """Let every waiting ``receive`` look again."""
        for share in self._shares.values():
            share.wake()

    async def joined(self) -> None:
        """Wait until the group has assigned partitions."""
        while self.session is None or not self.session.joined.is_set():
            self._joined.clear()
            await self._joined.wait()

    async def exhausted(self, share: Share) -> bool:
        """Whether all of a queue that waits for this process was read; False until it has its partitions.

        Raises:
            TransportUnavailable: the brokers do not answer.
        """
        session = self.session
        if session is not None and share in self._by_topic.values():
            return await session.exhausted(share.windows, self._owner.counter.ends)
        topics = self._owner.topology
        await topics.refresh()
        return not any(topic in topics.known for topic in self._owner.names.all(share.queue))

    async def commits(self, assigned: set[TopicPartition]) -> Mapping[TopicPartition, Commit]:
        """Return the commit from which each partition goes on, where there is one.

        Raises:
            TransportUnavailable: it cannot be known, and going on without it would repeat what is done.
        """
        names, commits = self._owner.names, self._owner.commits
        mine: dict[str, list[TopicPartition]] = {}
        for tp in assigned:
            mine.setdefault(names.topic(self._by_topic[tp.topic].queue), []).append(tp)
        asked = (commits.take(self.group, own, there) for own, there in mine.items())
        return {tp: commit for found in await asyncio.gather(*asked) for tp, commit in found.items()}

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish next attempts."""
        return await self._owner.publisher.publish(batch)

    async def _run(self) -> None:
        pause = _FIRST_PAUSE
        loop = asyncio.get_running_loop()
        await asyncio.sleep(predecessor.patience(self._owner.connection.settings.session_timeout))
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
            await self._end_session(1.0)
            if loop.time() - started > _LONGEST_PAUSE:
                pause = _FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _live(self) -> None:
        owner = self._owner
        if owner.names.shared:
            await asyncio.sleep(_GATHER)
        self._changed.clear()
        shares = dict(self._shares)
        there = await self._there(shares)
        self._by_topic = {topic: shares[queue] for queue in there for topic in owner.names.all(queue)}
        only = shares[there[0]].windows if len(there) == 1 else None
        self.session = session = Session(
            self,
            owner.connection,
            owner.administration,
            self.group,
            list(self._by_topic),
            only or Bundle(self._by_topic),
        )
        log.debug("joining", group=self.group, queues=there)
        living = asyncio.ensure_future(session.run())
        beside = [asyncio.ensure_future(self._announce(session)), asyncio.ensure_future(self._remind())]
        changing = asyncio.ensure_future(self._outdated(shares, there))
        try:
            await asyncio.wait({living, changing}, return_when=asyncio.FIRST_COMPLETED)
            if not living.done():
                await session.drain()
        finally:
            for task in (living, changing, *beside):
                task.cancel()
            await asyncio.wait({living, changing, *beside})
        if not living.cancelled():
            living.result()

    async def _there(self, shares: Mapping[str, Share]) -> Sequence[str]:
        """Return the queues whose topics exist; waits until there is one."""
        owner = self._owner
        while True:
            for refreshed in (False, True):
                if refreshed:
                    await owner.topology.refresh()
                    self.down = None
                known = owner.topology.known
                found = [queue for queue in shares if all(topic in known for topic in owner.names.all(queue))]
                if found and (refreshed or len(found) == len(shares)):
                    return found
            await asyncio.sleep(_TOPIC_POLL)

    async def _outdated(self, shares: Mapping[str, Share], there: Sequence[str]) -> None:
        """Wait until the member should have other queues than it has."""
        while len(there) < len(shares) and not self._changed.is_set():
            await asyncio.sleep(_TOPIC_POLL)
            try:
                found = await self._there(shares)
            except TransportUnavailable:
                continue  # the session's own watch tells that
            if len(found) > len(there):
                return
        await self._changed.wait()
        await asyncio.sleep(_GATHER)

    async def _announce(self, session: Session) -> None:
        await session.joined.wait()
        self._joined.set()

    async def _remind(self) -> None:
        while self._owner.names.shared:
            await asyncio.sleep(_REMIND)
            held = {
                TopicPartition(*partition)
                for share in self._shares.values()
                for partition in share.windows.by_partition
            }
            try:
                await self.commits(held)
            except TransportUnavailable as error:
                log.info(
                    "could not note which group has the queues; trying again",
                    group=self.group,
                    error=str(error),
                )

    async def _end_session(self, grace: float) -> None:
        session, self.session = self.session, None
        if session is not None:
            await session.close(grace)

    def _fail(self, error: BaseException) -> None:
        if isinstance(error.__cause__ or error, errors.InvalidSessionTimeoutError):
            error = self._owner.connection.unavailable(
                f"consuming as {self.group}: the brokers refuse a session of"
                f" {self._owner.connection.settings.session_timeout:g} s: set 'lease' (or 'session_timeout') between their"
                " group.min.session.timeout.ms and group.max.session.timeout.ms"
            )
            log.error("consumer refused", group=self.group, error=str(error))
        if not isinstance(error, TransportUnavailable):
            log.warning("consumer failed; it joins anew", group=self.group, error=repr(error))
            error = self._owner.connection.unavailable(f"consuming as {self.group}", error)
        self.down = str(error)
        self.wake()
