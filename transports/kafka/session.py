"""One life of a group's member: joined, reading, committing; ended by a fault or by leaving."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from transports.kafka import progress
from transports.kafka.admin import Admin
from transports.kafka.committing import Committer
from transports.kafka.connection import Connection, dismiss, is_member
from transports.kafka.holdings import Holdings
from transports.kafka.watching import Watch, Watched, open_partitions
from transports.kafka.window import Window
from worker.errors import TransportUnavailable

AHEAD = 2048
"""Messages that are read ahead of what is handed out."""

_COMMIT_EACH = 1000
_POLL = 0.5
_FINAL = 5.0
"""Seconds for the commit when partitions go."""

log = structlog.stdlib.get_logger("worker.kafka")


class Host(Watched, Protocol):
    """What a session tells and asks of the member whose life it is."""

    def recall(self) -> None:
        """Ask for what was handed out and not started."""
        ...


class Session(ConsumerRebalanceListener):  # type: ignore[misc]  # the driver has no types
    """Reads for one member until something fails.

    Args:
        host: the member.
        connection: makes the consumer.
        admin: asked for what was committed.
        topics: to subscribe to; the first is also the group.
        holdings: take what is read.
    """

    def __init__(
        self, host: Host, connection: Connection, admin: Admin, topics: Sequence[str], holdings: Holdings
    ) -> None:
        self.handing = False
        self.joined = asyncio.Event()
        self._host = host
        self._connection = connection
        self._admin = admin
        self._topics = topics
        self._holdings = holdings
        self._consumer = connection.member(topics[0])
        self._committer = Committer(self._consumer, holdings.held)
        self._assigned = asyncio.Event()
        self._space = asyncio.Event()
        self._settled = asyncio.Event()
        self._getting: asyncio.Task[Mapping[TopicPartition, Sequence[Any]]] | None = None
        self._epoch = 0
        self._closing = False
        self._starting: asyncio.Task[None] | None = None
        self._committed_at = 0
        self._watch = Watch(host, connection, admin, self._consumer, holdings)

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
        await self._connection.within(f"joining group {self._topics[0]}", joining, patience)
        self._host.down = None
        self._watch.began()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read())
            tasks.create_task(self._commit())
            tasks.create_task(self._watch.run(self._assigned))

    async def close(self, grace: float) -> None:
        """Commit what is done and leave the group; call it once ``run`` is over."""
        self._closing = True
        self.handing = False
        self._settled.set()
        if self._starting is not None:  # cancelled while it connects the driver would forget an open socket
            await asyncio.wait({self._starting}, timeout=1.0)
            self._starting.cancel()
            await asyncio.wait({self._starting}, timeout=1.0)
            if self._starting.done() and not self._starting.cancelled():
                self._starting.exception()
        await self._committer.commit(min(max(grace, 0.5), _FINAL))
        self._holdings.end()
        await self._committer.close()
        await dismiss(self._consumer, _FINAL)

    def room_made(self) -> None:
        """Something was handed out or settled."""
        if not self._space.is_set() and self._holdings.ready < AHEAD // 2:
            self._space.set()
        if not self._holdings.out:
            self._settled.set()

    def pause(self) -> None:
        """Apply the host's pause; the driver throws away what it had read ahead."""
        if not self._assigned.is_set():
            return
        self._apply([TopicPartition(*partition) for partition in self._holdings.windows])
        self._watch.began()
        self._space.set()

    def _apply(self, partitions: Iterable[TopicPartition]) -> None:
        if self._host.paused:
            self._consumer.pause(*partitions)
        else:
            self._consumer.resume(*partitions)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Hand out no more, wait for what runs, commit, and fence the rest."""
        self._assigned.clear()
        self._epoch += 1
        self.handing = False
        getting = self._getting
        if getting is not None:
            getting.cancel()
            await asyncio.wait({getting})
        if revoked and is_member(self._consumer):
            self._host.recall()
            await self._drain()
            await self._committer.commit(_FINAL)
        self._holdings.end()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Pause first where the queue is paused; then go on where the last holder had come to."""
        if self._host.paused:
            self._consumer.pause(*assigned)
        commits = await self._commits(assigned)
        windows = []
        for tp in assigned:
            commit = commits.get(tp)
            if commit is None or commit.offset < 0:
                windows.append(Window(tp.topic, tp.partition))
                continue
            earlier = progress.decode(commit.offset, commit.metadata or "")
            windows.append(Window(tp.topic, tp.partition, start=commit.offset, earlier=earlier))
        self._holdings.begin(windows)
        self._committer.forget()
        self._apply(assigned)  # it may have changed meanwhile
        self.handing = True
        self._watch.began()
        self._assigned.set()
        self.joined.set()

    async def _drain(self) -> None:
        """Wait for running handlers as long as the group waits for us."""
        rebalance = self._connection.settings.rebalance_timeout
        loop = asyncio.get_running_loop()
        end = loop.time() + max(rebalance - _FINAL - 1.0, rebalance / 2)
        while self._holdings.out and not self._closing and loop.time() < end:
            self._settled.clear()
            await _within(self._settled, end - loop.time())
        if self._holdings.out:
            log.warning(
                "partitions go to another process while handlers run; their messages may be handled again",
                group=self._topics[0],
                running=self._holdings.out,
            )

    async def _commits(self, assigned: set[TopicPartition]) -> Mapping[TopicPartition, OffsetAndMetadata]:
        """What was committed, with its notes; without an answer only the notes are lost, and work is repeated."""
        try:
            found: Mapping[TopicPartition, OffsetAndMetadata] = await self._admin.ask(
                "reading commits",
                lambda client: client.list_consumer_group_offsets(self._topics[0], partitions=list(assigned)),
            )
        except (TransportUnavailable, AttributeError) as error:
            log.warning("notes of what is done not read", group=self._topics[0], error=str(error))
            return {}
        return found

    async def _read(self) -> None:
        nowhere = TopicPartition(self._topics[0], 2**31 - 1)
        while True:
            await self._assigned.wait()
            room = AHEAD - self._holdings.ready
            partitions = open_partitions(self._holdings)
            if room <= 0 or not partitions:
                self._space.clear()
                await _within(self._space, _POLL)
                # nothing is read from nowhere; the driver tells its faults, which it tells nobody else
                await self._consumer.getmany(nowhere, timeout_ms=0, max_records=1)
                continue
            epoch = self._epoch
            everything = len(partitions) == len(self._holdings.windows)
            asked = () if everything else partitions
            getting = asyncio.ensure_future(
                self._consumer.getmany(*asked, timeout_ms=round(_POLL * 1000), max_records=room)
            )
            self._getting = getting
            try:
                await asyncio.wait({getting})
            finally:
                self._getting = None
                getting.cancel()
            if getting.cancelled() or epoch != self._epoch:
                continue
            records = getting.result()
            for tp, batch in records.items():
                self._holdings.took((tp.topic, tp.partition), batch)
            if records:
                self._watch.began()
                self._host.down = None
                self._host.wake()

    async def _commit(self) -> None:
        settings = self._connection.settings
        step = min(settings.commit_interval, 0.05)
        waited = 0.0
        while True:
            await asyncio.sleep(step)
            waited += step
            fresh = self._holdings.settled - self._committed_at
            if waited < settings.commit_interval and fresh < _COMMIT_EACH:
                continue
            waited = 0.0
            if self._assigned.is_set():
                self._committed_at = self._holdings.settled
                await self._committer.commit(settings.timeout)


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
