"""Amazon SQS as a transport: an SQS queue and its dead-letter queue for each queue, leases by visibility."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from transports.dsn import Dsn
from transports.sqs import pricing, settings
from transports.sqs.connection import Connection
from transports.sqs.counting import Counter
from transports.sqs.faults import NotSent, Refused
from transports.sqs.features import features
from transports.sqs.publishing import Publisher
from transports.sqs.queues import Queues
from transports.sqs.receipt import Receipt
from transports.sqs.subscription import SqsSubscription
from transports.sqs.timekeeping import Timekeeper
from transports.sqs.topology import Topology
from transports.subscription import ClaimingSubscription
from worker.messaging.abilities import Requests
from worker.messaging.transport import Depth, Outcome, Outgoing, QueueSpec

_LINGER = 2.0
"""Most seconds that closing waits for polls under way: what one brings later comes back when its lease is over."""


class SqsTransport:
    """Queues of one region. Connect in the process and loop that use it."""

    def __init__(self, name: str, configured: settings.Settings, clock: Callable[[], float]) -> None:
        self.name = name
        self.features = features(configured)
        self.settings = configured
        self.time = Timekeeper(clock)
        self.connection = Connection(name, configured)
        self.held: dict[str, Receipt] = {}
        self._polls: set[asyncio.Task[None]] = set()
        self._subscriptions: set[SqsSubscription] = set()
        self._make()

    async def connect(self) -> None:
        """Make the clients, and prove that the service answers.

        Raises:
            TransportUnavailable: it does not, or there are no credentials.
        """
        if self.connection.is_open:
            return
        self._make()
        await self.connection.open()
        try:
            await self.ping()
        except BaseException:
            await self.connection.close()
            raise

    async def setup(self, queues: Sequence[QueueSpec]) -> None:
        """Create what is missing, each with a dead-letter queue, and check the rest.

        Raises:
            ConfigurationError: a queue is not as it must be; it is not changed.
            TransportUnavailable: the service does not answer, or refuses.
        """
        await self._topology.setup(queues)

    async def missing(self, queues: Sequence[QueueSpec]) -> Sequence[str]:
        """Names of queues that are not there."""
        return await self._topology.missing(queues)

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish, together with what else is published meanwhile; returns when the service has stored it.

        Raises:
            TransportUnavailable: none of them was taken.
        """
        self._check()
        return await self._publisher.publish(batch) if batch else []

    async def subscribe(self, queue: QueueSpec, *, slots: int) -> SqsSubscription:
        """Start consuming a queue; the first poll goes out when something is asked for."""
        self._check()
        self.queues.declare(queue)
        subscription = SqsSubscription(self, queue.name, self.counter, self._forget)
        self._subscriptions.add(subscription)
        return subscription

    async def depth(self, queues: Sequence[str]) -> Mapping[str, Depth]:
        """Count approximately.

        Raises:
            TransportUnavailable: the service does not answer.
        """
        return await self.counter.depth(queues)

    def requests(self, queues: int, processes: int) -> Requests:
        """Say how many requests this many queues in this many processes make."""
        return pricing.requests(self.settings, queues, processes)

    async def ping(self) -> None:
        """Ask for the address of a queue that need not be there.

        Raises:
            TransportUnavailable: there is no answer, or one about the credentials.
        """
        try:
            await self.connection.ask("GetQueueUrl", QueueName=f"{self.settings.prefix}worker-ping")
        except Refused as refused:
            if not refused.missing:
                raise self.connection.unavailable(refused) from refused
        except NotSent as error:
            # a denial is an answer, too; which rights are lacking is told where they are needed
            if "AccessDenied" not in str(error):
                raise

    async def close(self) -> None:
        """Finish what was asked, give back what was not received, and let polls under way end."""
        if not self.connection.is_open:
            return
        closing = tuple(self._subscriptions)
        self._open = False
        await asyncio.gather(*(each.close(self.settings.timeout) for each in closing))
        await self._publisher.finish()
        if self._polls:
            await asyncio.wait(set(self._polls), timeout=_LINGER)
        for poll in self._polls:
            poll.cancel()
        await asyncio.gather(*self._polls, return_exceptions=True)
        await asyncio.gather(*(each.holding.finish() for each in closing))
        self.held.clear()
        await self.connection.close()

    def _forget(self, subscription: ClaimingSubscription) -> None:
        """Drop a closed subscription; its polls under way go on."""
        assert isinstance(subscription, SqsSubscription)
        self._subscriptions.discard(subscription)
        for poll in subscription.holding.polls.under_way:
            self._polls.add(poll)
            poll.add_done_callback(self._polls.discard)

    def _make(self) -> None:
        self._open = True
        self.queues = Queues(self.connection, self.settings)
        self.counter = Counter(self.connection, self.queues)
        self._topology = Topology(self.name, self.connection, self.settings, self.queues)
        self._publisher = Publisher(self.connection, self.queues, self._holds, self.settings.max_bytes)

    def _holds(self, message_id: str) -> bool:
        receipt = self.held.get(message_id)
        return receipt is not None and not receipt.settled

    def _check(self) -> None:
        if not self._open or not self.connection.is_open:
            raise NotSent(f"sqs {self.settings.shown}: transport {self.name!r} is not connected")


def create(
    name: str, url: Dsn, options: Mapping[str, Any], *, base: Path, clock: Callable[[], float]
) -> SqsTransport:
    """Make the transport of an ``sqs://`` address; opens nothing.

    Raises:
        ConfigurationError: the address or an option is wrong; names each.
    """
    return SqsTransport(name, settings.read(name, url, options), clock)
