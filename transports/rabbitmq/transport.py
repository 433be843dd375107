"""The RabbitMQ transport: a connection to publish over, one to consume over, and one to set up and to look."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from transports.dsn import Dsn
from transports.rabbitmq import counting, names
from transports.rabbitmq import settings as reading
from transports.rabbitmq.administration import Administration
from transports.rabbitmq.connection import Connection
from transports.rabbitmq.encoding import Encoder
from transports.rabbitmq.features import features
from transports.rabbitmq.publishing import Publisher
from transports.rabbitmq.settings import Settings
from transports.rabbitmq.subscription import RabbitSubscription
from transports.rabbitmq.topology import Topology
from worker.errors import ConfigurationError, TransportUnavailable
from worker.messaging.abilities import Confirms
from worker.messaging.transport import Depth, Outcome, OutcomeKind, Outgoing, QueueSpec

_PING = 2.0
_GONE = 0.5
"""Seconds that a deleted queue stays away before a publish creates it again."""
_AGAIN = 30.0
"""Seconds after which it is asked again whether a queue that was set up elsewhere has one for keys beside it."""
_GRACE = 5.0
"""Seconds that closing waits for publishes and settlements under way."""


class RabbitTransport:
    """Queues on a RabbitMQ broker. Connect in the process that uses it: a connection does not survive a fork."""

    def __init__(self, name: str, settings: Settings, clock: Callable[[], float]) -> None:
        self.name = name
        self.features = features(settings)
        self.settings = settings
        self.clock = clock
        self._specs: dict[str, QueueSpec] = {}
        self._connection = Connection(name, "consume", settings)
        self._publishing = Connection(name, "publish", settings)
        self._administration = Administration(name, settings, self._connection.unavailable)
        self._topology = Topology(name, self._administration, settings)
        self._publisher = Publisher(
            self._publishing,
            settings,
            keyed=self._keyed,
            learn=self._learn,
            prepare_delays=self._topology.prepare_delays,
            encoder=Encoder(settings, self._keyed, clock),
        )
        self._subscriptions: set[RabbitSubscription] = set()
        self._with_keys: set[str] = set()
        self._looked: dict[str, float] = {}

    async def connect(self) -> None:
        """Open both connections.

        Raises:
            TransportUnavailable: no host answers, or it refuses us; names each.
        """
        opened = await asyncio.gather(
            self._connection.open(), self._publishing.open(), return_exceptions=True
        )
        for error in opened:
            if error is not None:
                await self.close()
                raise error

    async def setup(self, queues: Sequence[QueueSpec]) -> None:
        """Create what is missing.

        Raises:
            TransportUnavailable: the broker does not answer.
            ConfigurationError: a queue exists with other arguments.
        """
        await self._topology.create(queues)
        self._specs.update((spec.name, spec) for spec in queues)

    async def missing(self, queues: Sequence[QueueSpec]) -> Sequence[str]:
        """Names of what ``setup`` would create."""
        missing = await self._topology.missing(queues)
        self._specs.update((spec.name, spec) for spec in queues if spec.name not in missing)
        return missing

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish with publisher confirms; a queue that was set up here and is gone is created again.

        Raises:
            TransportUnavailable: none of them was taken.
        """
        return await self._publish(batch, self.settings.max_bytes)

    def post(self, batch: Sequence[Outgoing]) -> Confirms | None:
        """Publish at once, where nothing has to be waited for first; None where something has."""
        confirms = self._publisher.post(batch, self.settings.max_bytes)
        return None if confirms is None else partial(self._answered, batch, confirms, self.settings.max_bytes)

    async def send(self, messages: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish next attempts, whatever their size: their originals were taken, and they may have grown by notes."""
        return await self._publish(messages, None)

    async def subscribe(self, queue: QueueSpec, *, slots: int) -> RabbitSubscription:
        """Start consuming a queue; one that is missing is created.

        Raises:
            TransportUnavailable: the broker does not answer.
            ConfigurationError: the queue exists with other arguments.
        """
        subscription = RabbitSubscription(self, self._connection, queue, slots)
        await subscription.open()
        self._subscriptions.add(subscription)
        return subscription

    async def depth(self, queues: Sequence[str]) -> Mapping[str, Depth]:
        """Count ready messages and consumers, and with ``management_url`` what is handed out.

        Raises:
            TransportUnavailable: the broker does not answer.
        """
        for name in queues:
            await self._learn(name)
        specs = [QueueSpec(name=name, types=(), keyed=bool(self._keyed(name))) for name in queues]
        return await counting.count(self._topology, self.settings, specs)

    async def is_empty(self, queue: str) -> bool:
        """Tell whether it is certain that nothing of a queue is left; False while it has a consumer.

        Raises:
            TransportUnavailable: the broker does not answer.
        """
        await self._learn(queue)
        spec = QueueSpec(name=queue, types=(), keyed=bool(self._keyed(queue)))
        return await counting.is_empty(self._topology, self.settings, spec)

    async def ping(self) -> None:
        """Prove within two seconds that the broker answers, and takes publishes.

        Raises:
            TransportUnavailable: it does not.
        """
        try:
            async with asyncio.timeout(_PING):
                await self._connection.prove(_PING)
                await self._publisher.check()
        except TimeoutError:
            raise self._connection.unavailable(f"no answer within {_PING:g} s") from None

    async def close(self) -> None:
        """Finish what is under way and let go of everything."""
        await asyncio.gather(*(each.close(_GRACE) for each in tuple(self._subscriptions)))
        await self._publisher.close(_GRACE)
        await asyncio.gather(self._connection.close(), self._publishing.close(), self._administration.close())

    def wake(self) -> None:
        """Nothing to do: times are the broker's, and nothing waits for a clock that tests move."""

    def forget(self, subscription: RabbitSubscription) -> None:
        """Drop a subscription: it is closed."""
        self._subscriptions.discard(subscription)

    async def _publish(self, batch: Sequence[Outgoing], longest: int | None) -> Sequence[Outcome]:
        if not batch:
            return []
        return await self._answered(batch, partial(self._publisher.publish, batch, longest), longest)

    async def _answered(
        self, batch: Sequence[Outgoing], confirms: Confirms, longest: int | None
    ) -> Sequence[Outcome]:
        """Wait for the outcomes; where a queue that was set up here is gone, create it again and publish again."""
        outcomes = list(await confirms())
        lost = [
            place
            for place, outcome in enumerate(outcomes)
            if outcome.kind is OutcomeKind.UNROUTABLE and batch[place].queue in self._specs
        ]
        if not lost:
            return outcomes
        # not at once: RabbitMQ 3.10 forgets to tell the consumers of a quorum queue that is back too soon
        await asyncio.sleep(_GONE)
        try:
            wrong = await self._set_up_again(
                [self._specs[name] for name in {batch[place].queue for place in lost}]
            )
            back = [place for place in lost if batch[place].queue not in wrong]
            again = await self._publisher.publish([batch[place] for place in back], longest) if back else []
        except TransportUnavailable:
            return outcomes  # the others were taken
        for place in lost:
            outcomes[place] = wrong.get(batch[place].queue, outcomes[place])
        for place, outcome in zip(back, again, strict=True):
            outcomes[place] = outcome
        return outcomes

    async def _set_up_again(self, queues: Sequence[QueueSpec]) -> Mapping[str, Outcome]:
        """Set deleted queues up again; return an outcome for each that is there now, but not as configured.

        Raises:
            TransportUnavailable: the broker does not answer.
        """
        wrong = {}
        for queue in queues:
            try:
                await self.setup([queue])
            except ConfigurationError as error:
                wrong[queue.name] = Outcome(OutcomeKind.UNROUTABLE, str(error))
        return wrong

    def _keyed(self, queue: str) -> bool | None:
        """Whether a queue has one for keys beside it; None where the broker must be asked."""
        spec = self._specs.get(queue)
        if spec is not None:
            return spec.keyed
        if queue in self._with_keys:
            return True
        looked = self._looked.get(queue)
        return False if looked is not None and looked + _AGAIN > _now() else None

    async def _learn(self, queue: str) -> None:
        """Find out whether a queue that was set up elsewhere has one for keys beside it."""
        if self._keyed(queue) is None:
            now = _now()
            if await self._topology.counted([names.keys(queue)]):
                self._with_keys.add(queue)
            self._looked[queue] = now


def _now() -> float:
    return asyncio.get_running_loop().time()


def create(
    name: str, url: Dsn, options: Mapping[str, Any], *, base: Path, clock: Callable[[], float]
) -> RabbitTransport:
    """Make the transport of an ``amqp://`` or ``amqps://`` address; opens nothing.

    Raises:
        ConfigurationError: the address or an option is wrong; names each.
    """
    return RabbitTransport(name, reading.read(name, url, options, base), clock)
