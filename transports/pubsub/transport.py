"""Pub/Sub as a transport: a topic and a subscription for each queue, pulls, and leases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from transports.dsn import Dsn
from transports.pubsub import names, settings, wire
from transports.pubsub.acknowledging import Acknowledger
from transports.pubsub.connection import Connection
from transports.pubsub.copying import Copying
from transports.pubsub.counting import count
from transports.pubsub.faults import Failed
from transports.pubsub.features import features
from transports.pubsub.monitoring import Monitoring
from transports.pubsub.names import Names
from transports.pubsub.publishing import Publisher
from transports.pubsub.pulling import Puller
from transports.pubsub.receipt import Era
from transports.pubsub.subscription import PubsubSubscription
from transports.pubsub.topology import Topology
from worker.errors import TransportUnavailable
from worker.messaging.copies import Copies
from worker.messaging.transport import Depth, Outcome, Outgoing, QueueSpec

_PING = 2.0
_LAST = 0.25
"""Seconds that open pulls get to end by themselves when the transport is closed."""


class PubsubTransport:
    """Queues in one project. Connect in the process and loop that use it."""

    def __init__(self, name: str, configured: settings.Settings) -> None:
        self.name = name
        self.features = features(configured)
        self.settings = configured
        self.lease = float(configured.lease)
        self.connection = Connection(name, configured)
        self._names = Names(configured.project, configured.prefix)
        self._era = Era()
        self._ours: dict[str, QueueSpec] = {}
        self.volatile = configured.copies
        self._copying = Copying(name)
        self._topology = Topology(name, self.connection, self._names, self._ours, self._copying)
        self._publisher = Publisher(self.connection, self._topology)
        self._acknowledgers: dict[str, Acknowledger] = {}
        self._monitoring: Monitoring | None = None
        self._subscriptions: set[PubsubSubscription] = set()
        self._pulls: set[asyncio.Task[None]] = set()

    @property
    def copies(self) -> Copies | None:
        """Where copies of messages are kept, as an emulator forgets them; None for nowhere."""
        return self._copying.copies

    @copies.setter
    def copies(self, copies: Copies | None) -> None:
        self._copying.copies = copies

    async def connect(self) -> None:
        """Open the channels, and make one call, to prove that the service answers.

        Raises:
            TransportUnavailable: the service does not answer, or there are no credentials.
        """
        if self.connection.open:
            return
        self._era = Era()
        self._topology = Topology(self.name, self.connection, self._names, self._ours, self._copying)
        self._publisher = Publisher(self.connection, self._topology)
        await self.connection.connect()
        try:
            await self._ask(self.settings.timeout)
            if self.settings.monitoring and self.connection.credentials is not None:
                self._monitoring = Monitoring(
                    self.settings.project, self.connection.credentials, self.settings.timeout
                )
        except BaseException:
            await self.connection.close()
            raise

    async def setup(self, queues: Sequence[QueueSpec]) -> None:
        """Create topics and subscriptions that are missing, and check the others; nothing is changed.

        Raises:
            TransportUnavailable: the service does not answer, or refuses.
            ConfigurationError: one exists otherwise than configured.
        """
        await self._topology.setup(queues)

    async def missing(self, queues: Sequence[QueueSpec]) -> Sequence[str]:
        """Names of queues of which a topic or subscription is not there."""
        return await self._topology.missing(queues)

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish, together with what else is published meanwhile; a queue set up here that is gone is made again.

        Raises:
            TransportUnavailable: none of them was taken.
        """
        self._check()
        await self._copying.keep(batch)
        try:
            outcomes = await self._publisher.publish(batch)
        except (TransportUnavailable, asyncio.CancelledError):
            await self._copying.not_taken(batch, None)
            raise
        await self._copying.not_taken(batch, outcomes)
        return outcomes

    async def subscribe(self, queue: QueueSpec, *, slots: int) -> PubsubSubscription:
        """Start consuming a queue. Where it was set up here and is gone later, it is made again."""
        self._check()
        main, aside = self._puller(queue, queue.name), self._puller(queue, names.dead(queue.name))
        subscription = PubsubSubscription(queue, main, aside, self._era, self._copying, self._forget)
        self._subscriptions.add(subscription)
        return subscription

    async def depth(self, queues: Sequence[str]) -> Mapping[str, Depth]:
        """Tell what Cloud Monitoring last told, with ``monitoring`` on; else nothing, as Pub/Sub cannot be asked."""
        self._check()
        monitoring = self._monitoring
        return (
            dict.fromkeys(queues, Depth())
            if monitoring is None
            else await count(monitoring, self._names, queues)
        )

    async def ping(self) -> None:
        """Prove within two seconds that the service answers.

        Raises:
            TransportUnavailable: it does not.
        """
        self._check()
        await self._ask(_PING)

    async def close(self) -> None:
        """Finish what was asked, give back what was not received, and let go of the channels."""
        if not self.connection.open:
            return
        await asyncio.gather(*(each.close(self.settings.timeout) for each in tuple(self._subscriptions)))
        for acknowledger in self._acknowledgers.values():
            acknowledger.give_up()
        await self._publisher.finish()
        if self._pulls:
            await asyncio.wait(set(self._pulls), timeout=_LAST)
        for pull in tuple(self._pulls):
            pull.cancel()
        await asyncio.gather(*self._pulls, return_exceptions=True)
        for acknowledger in self._acknowledgers.values():
            await acknowledger.finish()
        self._era.open = False
        if self._monitoring is not None:
            self._monitoring.close()
            self._monitoring = None
        self._acknowledgers.clear()
        await self.connection.close()

    def wake(self) -> None:
        """Nothing to do: leases follow the service's clock, which tests cannot move."""

    def _puller(self, queue: QueueSpec, source: str) -> Puller:
        name = self._names.subscription(source)
        acknowledger = self._acknowledgers.get(name)
        if acknowledger is None:
            acknowledger = Acknowledger(self.connection, name, keyed=queue.keyed)
            self._acknowledgers[name] = acknowledger
        return Puller(
            self.connection,
            queue.name,
            name,
            acknowledger,
            self._era,
            self.lease,
            lambda: self._topology.repair(queue.name),
        )

    def _forget(self, subscription: PubsubSubscription, pull: asyncio.Task[None] | None) -> None:
        """Drop a closed subscription; its pull stays open until it brings something, or the transport is closed."""
        self._subscriptions.discard(subscription)
        if pull is not None:
            self._pulls.add(pull)
            pull.add_done_callback(self._pulls.discard)

    async def _ask(self, timeout: float) -> None:
        request = wire.GetSubscription(subscription=self._names.subscription("worker-ping"))
        try:
            await self.connection.call(wire.GET_SUBSCRIPTION, request, timeout)
        except Failed as error:
            if error.code not in {"NOT_FOUND", "PERMISSION_DENIED"}:  # these are answers, too
                raise

    def _check(self) -> None:
        if not self.connection.open:
            raise TransportUnavailable(f"{self.settings.shown}: transport {self.name!r} is not connected")


def create(
    name: str, url: Dsn, options: Mapping[str, Any], *, base: Path, clock: Callable[[], float]
) -> PubsubTransport:
    """Make the transport of a ``pubsub://`` address; opens nothing.

    Raises:
        ConfigurationError: the address or an option is wrong; names each.
    """
    return PubsubTransport(name, settings.read(name, url, options))
