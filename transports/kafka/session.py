"""One session of a group's member: it joins, reads and commits, and ends by a fault or by leaving."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition

from transports.kafka import progress
from transports.kafka.administration import Administration
from transports.kafka.bundle import Bundle
from transports.kafka.commits import Commit
from transports.kafka.committing import Committer
from transports.kafka.connection import Connection
from transports.kafka.driver import dismiss, is_member
from transports.kafka.polling import Polling
from transports.kafka.watching import Watch, Watched
from transports.kafka.window import Window
from transports.kafka.windows import Windows
from worker.errors import TransportUnavailable
from worker.messaging.bounded import happens

_QUIET = 10.0
"""Seconds without a message after which a partition's last offsets count as holding none, as where they were compacted."""

_FINAL = 5.0
"""Seconds for the last commit of partitions that are revoked."""

log = structlog.stdlib.get_logger("worker.kafka")


class Host(Watched, Protocol):
    """What a session tells its member, and asks of it."""

    def recall(self) -> None:
        """Ask for what was handed out and not started."""
        ...

    async def commits(self, assigned: set[TopicPartition]) -> Mapping[TopicPartition, Commit]:
        """Return the commit from which each partition goes on, where there is one.

        Raises:
            TransportUnavailable: it cannot be known.
        """
        ...


class Session(ConsumerRebalanceListener):  # type: ignore[misc]  # the driver has no types
    """Reads for one member until something fails.

    Args:
        host: the member.
        connection: makes the consumer.
        administration: asked whether the brokers answer.
        group: to join.
        topics: to subscribe to.
        windows: take what is read.
    """

    def __init__(
        self,
        host: Host,
        connection: Connection,
        administration: Administration,
        group: str,
        topics: Sequence[str],
        windows: Windows | Bundle,
    ) -> None:
        self.handing = False
        self.joined = asyncio.Event()
        self._host = host
        self._connection = connection
        self._group = group
        self._topics = topics
        self._windows = windows
        self._consumer = connection.member(group)
        self._committer = Committer(self._consumer, windows.held)
        self._settled = asyncio.Event()
        self._closing = False
        self._ending = False
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._starting: asyncio.Task[None] | None = None
        self._watch = Watch(host, connection, administration, self._consumer, windows)
        self._polling = Polling(
            self._consumer, windows, self._committer, connection.settings.timeout, topics[0], self._came
        )

    async def run(self) -> None:
        """Join and read until cancelled.

        Raises:
            TransportUnavailable: joining failed, or nothing comes any more though messages wait.
            KafkaError: reading failed.
        """
        settings = self._connection.settings
        self._consumer.subscribe(list(self._topics), listener=self)
        # a join waits for every other member's running handlers
        patience = settings.timeout + 2 * settings.rebalance_timeout + settings.session_timeout
        self._starting = asyncio.ensure_future(self._consumer.start())
        joining = asyncio.shield(self._starting)
        await self._connection.connected(f"joining group {self._group}", joining, patience)
        self._host.down = None
        self._watch.began()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._polling.run())
            tasks.create_task(
                self._committer.run(settings, lambda: self._windows.settled, self._polling.assigned)
            )
            tasks.create_task(self._watch.run(self._polling.assigned))
            tasks.create_task(self._unbroken())

    async def exhausted(
        self,
        windows: Windows,
        ends: Callable[[Sequence[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]],
    ) -> bool:
        """Whether all of a queue's partitions that are held here was read; False while partitions move.

        Raises:
            TransportUnavailable: the brokers do not answer.
        """
        if not self._hands_out():
            return False
        epoch = self._polling.epoch
        there = await ends([TopicPartition(*partition) for partition in windows.open()])
        for tp, end in there.items():
            window = windows.by_partition.get((tp.topic, tp.partition))
            if window is None or not await self._has_read(tp, window, end):
                return False
        return self._hands_out() and epoch == self._polling.epoch

    def _hands_out(self) -> bool:
        return self.handing and self._polling.assigned.is_set()

    async def _has_read(self, tp: TopicPartition, window: Window, end: int) -> bool:
        if self._watch.quiet > _QUIET:
            return True
        # a position beyond the end is of a topic that was deleted and is back: it is read from its oldest on
        if window.position == end:
            return True
        # the driver's position also passes what is no message: marks of transactions, what retention has removed
        return end == 0 or (
            end == await self._connection.within("looking", self._consumer.position(tp))
            and not self._polling.in_hand
        )

    async def drain(self) -> None:
        """Hand out no more, and wait for what runs: this session is to end, though nothing failed."""
        self._ending = True
        self.handing = False
        self._host.recall()
        await self._drain()

    async def close(self, grace: float) -> None:
        """Commit what is done and leave the group; call it once ``run`` is over."""
        self._closing = True
        self.handing = False
        if not self._broken.cancel() and not self._broken.cancelled():
            self._broken.exception()  # told by ``run``, unless that was over before
        self._settled.set()
        if self._starting is not None:  # cancelled while it connects, the driver would forget an open socket
            await asyncio.wait({self._starting}, timeout=1.0)
            self._starting.cancel()
            await asyncio.wait({self._starting}, timeout=1.0)
            if self._starting.done() and not self._starting.cancelled():
                self._starting.exception()
        self._let_go()
        await self._committer.commit(min(max(grace, 0.5), _FINAL))
        self._windows.end()
        await self._committer.close()
        await dismiss(self._consumer, _FINAL)

    def room_made(self) -> None:
        """Note that something was handed out or settled: there may be room to read more."""
        self._polling.room_made()
        if not self._windows.out:
            self._settled.set()

    def pause(self) -> None:
        """Apply the host's pause; the driver throws away what it had read ahead."""
        if not self._polling.assigned.is_set():
            return
        self._apply([TopicPartition(*partition) for partition in self._windows.by_partition])
        self._watch.began()
        self._polling.look()

    def _apply(self, partitions: Iterable[TopicPartition]) -> None:
        for tp in partitions:
            (self._consumer.pause if self._host.stopped(tp.topic) else self._consumer.resume)(tp)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Hand out no more, wait for what runs, commit, and fence the rest."""
        self.handing = False
        await self._polling.revoked()
        if revoked and is_member(self._consumer):
            self._host.recall()
            await self._drain()
            self._let_go()
            await self._committer.commit(_FINAL)
        self._windows.end()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Pause first where a queue is paused; then go on from where the last holder committed."""
        self._apply(assigned)
        try:
            commits = await self._host.commits(assigned)
        except TransportUnavailable as error:
            if not self._broken.done():
                self._broken.set_exception(error)
            return
        windows = []
        for tp in assigned:
            commit = commits.get(tp)
            if commit is None:
                windows.append(Window(tp.topic, tp.partition))
                continue
            self._consumer.seek(tp, commit.offset)  # the commit may be another group's
            windows.append(
                Window(
                    tp.topic,
                    tp.partition,
                    start=commit.offset,
                    earlier=progress.decode(commit.offset, commit.notes),
                    orphaned=progress.held(commit.notes),
                )
            )
        self._windows.begin(windows)
        self._committer.forget()
        self._apply(assigned)  # what is paused may have changed meanwhile
        self.handing = not self._ending
        self._watch.began()
        self._polling.assigned.set()
        self.joined.set()

    async def _drain(self) -> None:
        """Wait for running handlers, for nearly as long as the group waits for this member."""
        rebalance = self._connection.settings.rebalance_timeout
        loop = asyncio.get_running_loop()
        end = loop.time() + max(rebalance - _FINAL - 1.0, rebalance / 2)
        while self._windows.out and not self._closing and loop.time() < end:
            self._settled.clear()
            await happens(self._settled, end - loop.time())
        if self._windows.out:
            log.warning(
                "partitions go to another process while handlers run; their messages may be handled again",
                group=self._group,
                running=self._windows.out,
            )

    def _came(self) -> None:
        """Note that something was read: the brokers answer."""
        self._watch.began()
        self._host.down = None
        self._host.wake()

    async def _unbroken(self) -> None:
        """Fail when partitions were assigned and their commits cannot be read, so that it is unknown where to go on."""
        await self._broken

    def _let_go(self) -> None:
        """Have the last commit say that no message is in this process's hands any more."""
        for window in self._windows.held():
            window.let_go()
