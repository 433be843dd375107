"""Topics: which ones exist, and how those that a queue needs are made."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from aiokafka import errors
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from transports.kafka import names
from transports.kafka.administration import Administration
from transports.kafka.connection import Connection
from transports.kafka.names import Names
from worker.errors import ConfigurationError
from worker.messaging.transport import QueueSpec

DELAY_PARTITIONS = 3
"""Most partitions of a topic where delayed messages wait: retries are few beside all other messages."""

_RETENTION = "retention.ms"
_POLL = 0.05


class Topic(msgspec.Struct, frozen=True):
    """A topic as it is: partitions, copies of each, and whether each partition has a leader."""

    partitions: int
    replication: int
    led: bool


class Topology:
    """Makes and checks topics; remembers which ones exist."""

    def __init__(
        self, name: str, connection: Connection, administration: Administration, topic_names: Names
    ) -> None:
        self.known: dict[str, Topic] = {}
        self._name = name
        self._connection = connection
        self._administration = administration
        self._names = topic_names
        self._listing: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """List the cluster's topics; callers at the same time share an answer.

        All of them are listed: asking for one by name would create it on a broker that creates topics by itself.

        Raises:
            TransportUnavailable: the brokers do not answer.
        """
        under_way = self._listing
        if under_way is not None:  # its answer may be older than the topic that is looked for
            await asyncio.wait({under_way})
        if self._listing is None:
            self._listing = asyncio.ensure_future(self._list())
            self._listing.add_done_callback(self._listed)
        await asyncio.shield(self._listing)

    async def missing(self, queues: Sequence[QueueSpec]) -> Sequence[str]:
        """Names of queues without a topic, and of topics that a queue lacks beside its own."""
        await self.refresh()
        found: list[str] = []
        for spec in queues:
            own, *further = self._names.all(spec.name)
            if own not in self.known:
                found.append(spec.name)
            else:
                found += [topic for topic in further if topic not in self.known]
        return found

    async def setup(self, queues: Sequence[QueueSpec]) -> None:
        """Create what is missing, and check what is there against the configuration.

        Raises:
            ConfigurationError: a topic is not as configured, or the cluster refuses to make it so.
            TransportUnavailable: the brokers do not answer.
        """
        wanted = {
            topic: self._partitions(own=place == 0)
            for spec in queues
            for place, topic in enumerate(self._names.all(spec.name))
        }
        faults = [wrong for topic in wanted if (wrong := names.fault(topic))]
        if faults:
            raise ConfigurationError([f"transports.{self._name}: {fault}" for fault in faults])
        await self.refresh()
        there = {topic: count for topic, count in wanted.items() if topic in self.known}
        absent = {topic: count for topic, count in wanted.items() if topic not in self.known}
        if absent:
            await self._create(absent)
            await self._connection.within("waiting for new topics", self._led(wanted))
            there = wanted
        await self._check(there)

    def _partitions(self, *, own: bool) -> int:
        configured = self._connection.settings.partitions
        return configured if own else min(configured, DELAY_PARTITIONS)

    async def _create(self, absent: Mapping[str, int]) -> None:
        settings = self._connection.settings
        configs = {
            _RETENTION: str(self._retention),
            # a message must be on all copies but one: so one broker may be away, and another may be lost with its data
            "min.insync.replicas": str(max(1, settings.replication - 1)),
        }
        made = [
            NewTopic(topic, count, settings.replication, topic_configs=configs)
            for topic, count in absent.items()
        ]
        response = await self._administration.ask(
            "creating topics", lambda client: client.create_topics(made)
        )
        faults = []
        for topic, code, *message in response.topic_errors:
            error = errors.for_code(code)
            if error not in {errors.NoError, errors.TopicAlreadyExistsError}:
                text = (message[0] if message else None) or error.description
                faults.append(f"transports.{self._name}: topic {topic} cannot be created: {text}")
        if faults:
            raise ConfigurationError(faults)

    async def _led(self, wanted: Mapping[str, int]) -> None:
        while True:
            await self.refresh()
            if all(topic in self.known and self.known[topic].led for topic in wanted):
                return
            await asyncio.sleep(_POLL)

    async def _check(self, there: Mapping[str, int]) -> None:
        replication = self._connection.settings.replication
        faults = []
        for topic, count in there.items():
            found = self.known[topic]
            if found.partitions != count:
                faults.append(self._differs(topic, "partitions", found.partitions, count))
            if found.replication != replication:
                faults.append(self._differs(topic, "replication", found.replication, replication))
        for topic, retention in (await self._retentions(list(there))).items():
            if retention != self._retention:
                faults.append(
                    self._differs(topic, "retention", _seconds(retention), _seconds(self._retention))
                )
        if faults:
            raise ConfigurationError(faults)

    def _differs(self, topic: str, key: str, found: object, wanted: object) -> str:
        return (
            f"topic {topic} has {key} = {found}, transports.{self._name} wants {wanted}: "
            f"set {key} in the configuration, or change the topic with Kafka's own tools"
        )

    async def _retentions(self, topics: Sequence[str]) -> Mapping[str, int]:
        if not topics:
            return {}
        asked = [ConfigResource(ConfigResourceType.TOPIC, topic, {_RETENTION: ""}) for topic in topics]
        answers = await self._administration.ask(
            "reading topics", lambda client: client.describe_configs(asked)
        )
        found: dict[str, int] = {}
        for answer in answers:
            for code, _, _, topic, entries in answer.resources:
                if code == 0:
                    found.update((topic, int(entry[1])) for entry in entries if entry[0] == _RETENTION)
        return found

    @property
    def _retention(self) -> int:
        """Milliseconds; -1 for ever."""
        return round(self._connection.settings.retention * 1000) or -1

    async def _list(self) -> None:
        found: list[dict[str, Any]] = await self._administration.ask(
            "listing topics", lambda client: client.describe_topics()
        )
        self.known = {
            topic["topic"]: Topic(
                partitions=len(topic["partitions"]),
                replication=min(len(part["replicas"]) for part in topic["partitions"]),
                led=all(part["leader"] >= 0 for part in topic["partitions"]),
            )
            for topic in found
            if topic["partitions"]
        }

    def _listed(self, task: asyncio.Task[None]) -> None:
        self._listing = None
        if not task.cancelled():
            task.exception()  # raised to the callers that wait for it


def _seconds(milliseconds: int) -> str:
    return "0 (for ever)" if milliseconds < 0 else f"{milliseconds / 1000:g} s"
