"""Topics and subscriptions: looked for, made where they are missing, and never changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, NamedTuple

import structlog

from transports.pubsub import names, wire
from transports.pubsub.connection import Connection
from transports.pubsub.copying import Copying
from transports.pubsub.differences import differences
from transports.pubsub.faults import Failed
from transports.pubsub.names import Names
from worker.errors import ConfigurationError
from worker.messaging.transport import QueueSpec

log = structlog.stdlib.get_logger("worker.pubsub")

ATTEMPTS = 100
"""Deliveries before Pub/Sub puts a message aside by itself: its most, as give-backs count too."""
_FRESH = 60.0
"""Seconds for which it is believed that a queue's subscription is there."""


class QueueTopic(NamedTuple):
    """The topic that a queue's messages go to.

    Attributes:
        name: in full.
        keyed: whether the subscription keeps the order of a key.
    """

    name: str
    keyed: bool


class Topology:
    """Knows what stands behind a queue.

    Args:
        name: of the transport.
        connection: to the service.
        topic_names: of the project.
        ours: queues that this process has set up, by name: it may make them again.
        copying: publishes again what an emulator has lost.
    """

    def __init__(
        self,
        name: str,
        connection: Connection,
        topic_names: Names,
        ours: dict[str, QueueSpec],
        copying: Copying,
    ) -> None:
        self._copying = copying
        self._name = name
        self._ours = ours
        self._connection = connection
        self._settings = connection.settings
        self._names = topic_names
        self._topics: dict[str, tuple[QueueTopic, float]] = {}
        self._looks: dict[str, asyncio.Task[QueueTopic | None]] = {}
        self._repairs: dict[str, asyncio.Task[bool]] = {}

    def known(self, queue: str) -> QueueTopic | None:
        """The topic of a queue that was there a moment ago; None where that must be asked for."""
        found = self._topics.get(queue)
        if found is None or asyncio.get_running_loop().time() - found[1] > _FRESH:
            return None
        return found[0]

    def forget(self, queue: str) -> None:
        """Ask again before the next message."""
        self._topics.pop(queue, None)

    def topic_of(self, queue: str) -> Awaitable[QueueTopic | None]:
        """Find where a queue's messages go; None where they would be lost, as nothing keeps them.

        The future raises TransportUnavailable where the service does not answer.
        """
        look = self._looks.get(queue)
        if look is None:
            look = self._looks[queue] = asyncio.get_running_loop().create_task(self._look(queue))
            look.add_done_callback(lambda _: self._looks.pop(queue, None))
        return asyncio.shield(look)

    async def setup(self, specs: Sequence[QueueSpec]) -> None:
        """Create what is missing, and check the rest against the configuration.

        Raises:
            TransportUnavailable: the service does not answer, or refuses.
            ConfigurationError: something exists otherwise; names each difference, and what to do.
        """
        wrong = [fault for spec in specs if (fault := names.fault(self._names.name(spec.name)))]
        if wrong:
            raise ConfigurationError([f"transports.{self._name}: {fault}" for fault in wrong])
        faults = [fault for found in await asyncio.gather(*map(self._create, specs)) for fault in found]
        if faults:
            raise ConfigurationError(faults)
        self._ours.update((spec.name, spec) for spec in specs)

    def repair(self, queue: str) -> Awaitable[bool]:
        """Make a queue again that this process had set up and that is gone; False where it was set up elsewhere.

        The future raises TransportUnavailable where the service does not answer, or refuses, or has it otherwise.
        """
        repair = self._repairs.get(queue)
        if repair is None:
            repair = self._repairs[queue] = asyncio.get_running_loop().create_task(self._repair(queue))
            repair.add_done_callback(lambda _: self._repairs.pop(queue, None))
        return asyncio.shield(repair)

    async def missing(self, specs: Sequence[QueueSpec]) -> Sequence[str]:
        """Names of queues of which a topic or a subscription is not there.

        Raises:
            TransportUnavailable: the service does not answer.
        """
        there = await asyncio.gather(*(self._whole(spec.name) for spec in specs))
        return [spec.name for spec, whole in zip(specs, there, strict=True) if not whole]

    async def _whole(self, queue: str) -> bool:
        asked = [
            self._find(kind, name)
            for each in (queue, names.dead(queue))
            for kind, name in (
                (wire.GET_TOPIC, self._names.topic(each)),
                (wire.GET_SUBSCRIPTION, self._names.subscription(each)),
            )
        ]
        return None not in await asyncio.gather(*asked)

    async def _find(self, method: wire.Method, name: str) -> Any:
        request = (
            wire.GetTopic(topic=name) if method is wire.GET_TOPIC else wire.GetSubscription(subscription=name)
        )
        try:
            return await self._connection.call(method, request)
        except Failed as error:
            if error.code in {"NOT_FOUND", "INVALID_ARGUMENT"}:  # the latter: nothing can have such a name
                return None
            raise

    async def _look(self, queue: str) -> QueueTopic | None:
        if names.fault(self._names.name(queue)) is not None:
            return None
        topic = self._names.topic(queue)
        found = await self._find(wire.GET_SUBSCRIPTION, self._names.subscription(queue))
        if found is None and await self._repaired(queue):
            found = await self._find(wire.GET_SUBSCRIPTION, self._names.subscription(queue))
        if found is None or found.topic != topic or found.detached:
            self._topics.pop(queue, None)
            return None
        known = QueueTopic(topic, bool(found.enable_message_ordering))
        self._topics[queue] = (known, asyncio.get_running_loop().time())
        return known

    async def _repaired(self, queue: str) -> bool:
        """Repair; False where it was not set up here, or the service refuses, which is logged."""
        try:
            return await self.repair(queue)
        except Failed as error:
            if error.passes:
                raise
            log.error("queue is gone", transport=self._name, queue=queue, error=str(error))
            return False

    async def _repair(self, queue: str) -> bool:
        spec = self._ours.get(queue)
        if spec is None:
            return False
        if await self._whole(queue):
            return True  # another worker was quicker
        try:
            await self.setup([spec])
        except ConfigurationError as error:
            raise Failed(str(error), "FAILED_PRECONDITION") from None
        log.warning(
            "a topic or subscription was gone and is made again; what waited there is lost",
            transport=self._name,
            queue=queue,
        )
        return True

    async def _create(self, spec: QueueSpec) -> Sequence[str]:
        """Create a queue, its dead-letter pair first: a message must never be put aside to nowhere."""
        dead = names.dead(spec.name)
        for queue in (dead, spec.name):
            await self._made(wire.CREATE_TOPIC, wire.Topic(name=self._names.topic(queue)))
        faults = await self._made_or_compared(dead, self._plain(dead))
        wanted = self._wanted(spec)
        before = await self._copying.now()
        if before and await self._find(wire.GET_SUBSCRIPTION, wanted.name) is None:
            await self._copying.send_again(spec.name, before)
        return [*faults, *await self._made_or_compared(spec.name, wanted)]

    async def _made_or_compared(self, queue: str, wanted: Any) -> list[str]:
        """Create a subscription; where it was there, say how it differs."""
        if await self._made(wire.CREATE_SUBSCRIPTION, wanted):
            return []
        found = await self._find(wire.GET_SUBSCRIPTION, wanted.name)
        if found is None:
            return []
        name = self._names.name(queue)
        told = differences(name, self._settings.project, wanted, found)
        return [f"transports.{self._name}: subscription {name!r} {each}" for each in told]

    async def _made(self, method: wire.Method, request: Any) -> bool:
        """Create; False where it was there already."""
        try:
            await self._connection.call(method, request)
        except Failed as error:
            if error.code != "ALREADY_EXISTS":
                raise
            return False
        return True

    def _plain(self, queue: str) -> Any:
        made = wire.Subscription(
            name=self._names.subscription(queue),
            topic=self._names.topic(queue),
            ack_deadline_seconds=self._settings.lease,
        )
        made.expiration_policy.SetInParent()  # never: else it is gone after 31 idle days, with its messages
        made.message_retention_duration.seconds = self._settings.retention
        return made

    def _wanted(self, spec: QueueSpec) -> Any:
        wanted = self._plain(spec.name)
        wanted.enable_message_ordering = spec.keyed
        wanted.enable_exactly_once_delivery = self._settings.exactly_once
        if not (spec.keyed and self._settings.emulator_host):
            # the emulator fails at putting aside an ordered message, and then answers no pull of that subscription
            wanted.dead_letter_policy.dead_letter_topic = self._names.topic(names.dead(spec.name))
            wanted.dead_letter_policy.max_delivery_attempts = ATTEMPTS
        return wanted
