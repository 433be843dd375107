"""Kafka as a transport: a topic and a group for each queue, and topics for delays of several lengths."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from transports.dsn import Dsn
from transports.kafka import settings
from transports.kafka.administration import Administration
from transports.kafka.commits import Commits
from transports.kafka.connection import Connection
from transports.kafka.counting import Counter
from transports.kafka.features import features
from transports.kafka.member import GroupMember
from transports.kafka.names import Names
from transports.kafka.publishing import Publisher
from transports.kafka.session_bounds import SessionBounds
from transports.kafka.subscription import KafkaSubscription
from transports.kafka.topology import Topology
from worker.messaging.transport import Depth, Outcome, Outgoing, QueueSpec


class KafkaTransport:
    """Queues on one cluster. Connect in the process and loop that use it."""

    def __init__(self, name: str, configured: settings.Settings, clock: Callable[[], float]) -> None:
        self.name = name
        self.features = features(configured)
        self.clock = clock
        self.connection = Connection(name, configured)
        self.names = Names(configured.prefix, configured.group)
        self._members: dict[str, GroupMember] = {}
        self._open = False
        self._make()

    async def connect(self) -> None:
        """Open connections for publishing and for questions; consuming opens further ones later, one for each group.

        Raises:
            TransportUnavailable: the brokers do not answer.
            ConfigurationError: a certificate or the token's function cannot be used.
        """
        if self._open:
            return
        self._make()
        await self.administration.ask("connecting", lambda client: client.describe_topics([]))
        await self.publisher.open()
        self._open = True

    async def setup(self, queues: Sequence[QueueSpec]) -> None:
        """Create the topics that are missing, and check the others against the configuration.

        Raises:
            ConfigurationError: a topic is not as configured, or the cluster refuses to make it so; or it does not allow
                the lease.
        """
        self._check()
        await self._bounds.check()
        await self.topology.setup(queues)

    async def missing(self, queues: Sequence[QueueSpec]) -> Sequence[str]:
        """Names of queues without a topic, and of topics that a queue lacks.

        Raises:
            ConfigurationError: the brokers do not allow the lease.
        """
        self._check()
        await self._bounds.check()
        return await self.topology.missing(queues)

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish, together with what else is published in this turn of the loop; all replicas confirm.

        Raises:
            TransportUnavailable: none of them was taken.
        """
        self._check()
        return await self.publisher.publish(batch) if batch else []

    async def subscribe(self, queue: QueueSpec, *, slots: int) -> KafkaSubscription:
        """Start consuming a queue: the process joins its group; further subscriptions share what it gets."""
        self._check()
        group = self.names.group_of(queue.name)
        member = self._members.get(group)
        if member is None:
            member = self._members[group] = GroupMember(self, group)
        return member.subscribe(queue.name)

    async def depth(self, queues: Sequence[str]) -> Mapping[str, Depth]:
        """Count what lies between the commits and the ends of the partitions.

        Raises:
            TransportUnavailable: the brokers do not answer.
        """
        self._check()
        return await self.counter.depth(queues)

    async def ping(self) -> None:
        """Ask the cluster for its brokers.

        Raises:
            TransportUnavailable: they do not answer in time.
        """
        self._check()
        await self.administration.ask("ping", lambda client: client.describe_topics([]))

    async def close(self) -> None:
        """Finish what is being published, commit what is done, leave every group."""
        if not self._open:
            return
        self._open = False
        members = tuple(self._members.values())
        await asyncio.gather(*(member.close(self.connection.settings.timeout) for member in members))
        await self.counter.close()
        await self.publisher.close()
        await self.administration.close()

    def wake(self) -> None:
        """Let every waiting ``receive`` look again; call it after moving the clock."""
        for member in self._members.values():
            member.wake()

    def forget(self, member: GroupMember) -> None:
        """Drop a member that has left its group: the next subscription joins anew."""
        if self._members.get(member.group) is member:
            del self._members[member.group]

    def _make(self) -> None:
        self.administration = Administration(self.connection)
        self._bounds = SessionBounds(self.name, self.connection, self.administration)
        self.topology = Topology(self.name, self.connection, self.administration, self.names)
        self.publisher = Publisher(self.connection, self.topology, self.names, self.clock)
        self.commits = Commits(self.connection, self.administration, self.names.shared)
        self.counter = Counter(self.connection, self.commits, self.topology, self.names)

    def _check(self) -> None:
        if not self._open:
            raise self.connection.unavailable(f"transport {self.name!r} is not connected")


def create(
    name: str, url: Dsn, options: Mapping[str, Any], *, base: Path, clock: Callable[[], float]
) -> KafkaTransport:
    """Make the transport of a ``kafka://`` address; opens nothing.

    Raises:
        ConfigurationError: the address or an option is wrong; names each.
    """
    return KafkaTransport(name, settings.read(name, url, options, base), clock)
