"""The embedded transport: a table in one SQLite file, which one thread of each process writes, in group commits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from transports.dsn import Dsn
from transports.sqlite import counting, finding, settings
from transports.sqlite.faults import OutcomeUnknown
from transports.sqlite.features import features
from transports.sqlite.holding import Holding
from transports.sqlite.publishing import Find, Prove, Publish, SetUp
from transports.sqlite.writer import Writer
from transports.subscription import ClaimingSubscription
from worker.errors import TransportUnavailable
from worker.messaging.steady import SteadyClock
from worker.messaging.transport import Depth, Outcome, OutcomeKind, Outgoing, QueueSpec

_PING = 2.0
"""Seconds within which the file must let itself be written to."""


class SqliteTransport:
    """Queues in a file. Connect in the process that uses it: a connection does not survive a fork."""

    def __init__(self, name: str, configured: settings.Settings, clock: Callable[[], float]) -> None:
        self.name = name
        self.features = features(configured.max_bytes, configured.lease)
        self.lease = configured.lease
        self._steady = SteadyClock(clock)
        self.clock: Callable[[], float] = self._steady
        self._settings = configured
        self._writer: Writer | None = None
        self._subscriptions: dict[str, set[ClaimingSubscription]] = {}
        self._waiting: set[object] = set()

    @property
    def writer(self) -> Writer:
        """The thread that has the connection.

        Raises:
            TransportUnavailable: it is not connected.
        """
        if self._writer is None:
            raise TransportUnavailable(
                f"sqlite file {self._settings.path}: transport {self.name!r} is not connected"
            )
        return self._writer

    def there(self) -> bool:
        """Whether the file is there."""
        return self._settings.path.exists()

    async def connect(self) -> None:
        """Open the file; make its folder, itself and its tables where they are missing.

        Raises:
            TransportUnavailable: it cannot be used; names the file and the cause.
        """
        if self._writer is None:
            writer = Writer(self._settings, self._steady, self._wake)
            await writer.open()
            self._writer = writer

    async def setup(self, queues: Sequence[QueueSpec]) -> None:
        """Create what is missing."""
        names = [spec.name for spec in queues]
        await self.writer.run(lambda future: SetUp(future, names))
        self.writer.queues.update(names)

    async def missing(self, queues: Sequence[QueueSpec]) -> Sequence[str]:
        """Names of queues that were not set up."""
        names = [spec.name for spec in queues]
        missing: Sequence[str] = await self.writer.run(lambda future: Find(future, names))
        return missing

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish, together with what else is published in this turn of the loop; returns after the commit.

        Raises:
            TransportUnavailable: none of them was taken.
        """
        try:
            outcomes: Sequence[Outcome] = await self.writer.run(
                lambda future: Publish(future, batch, self._settings.max_bytes, self.clock())
            )
        except OutcomeUnknown as error:
            return [Outcome(OutcomeKind.UNKNOWN, str(error))] * len(batch)
        return outcomes

    async def subscribe(self, queue: QueueSpec, *, slots: int) -> ClaimingSubscription:
        """Start consuming a queue."""
        holding = Holding(self, self.writer, queue.name)
        subscription = ClaimingSubscription(queue.name, holding, self.forget)
        self._subscriptions.setdefault(queue.name, set()).add(subscription)
        return subscription

    async def depth(self, queues: Sequence[str]) -> Mapping[str, Depth]:
        """Count exactly.

        Raises:
            TransportUnavailable: the file does not answer.
        """
        return await asyncio.to_thread(counting.count, self._settings, queues, self.clock())

    async def holds(self, queue: str, ids: Sequence[str]) -> frozenset[str]:
        """Return those of ``ids`` that the queue still has.

        Raises:
            TransportUnavailable: the file does not answer.
        """
        return await asyncio.to_thread(finding.held, self._settings, queue, ids)

    async def ping(self) -> None:
        """Prove within two seconds that the file can be written to.

        Raises:
            TransportUnavailable: it cannot.
        """
        try:
            async with asyncio.timeout(_PING):
                await self.writer.run(Prove)
        except TimeoutError:
            path = self._settings.path
            raise TransportUnavailable(f"sqlite file {path}: no write lock within {_PING:g} s") from None

    async def close(self) -> None:
        """Finish what was asked, give back what is being taken, and let go of the file."""
        writer = self._writer
        if writer is None:
            return
        for subscription in [each for group in self._subscriptions.values() for each in group]:
            await subscription.close(self._settings.busy_timeout)
        self._writer = None
        await writer.close()

    def wake(self) -> None:
        """Let every waiting ``receive`` look again; call it after moving the clock."""
        self._wake(None)

    def waiting(self, holding: object, waits: bool) -> None:
        """Note whether the consumer of ``holding`` waits: while one does, other processes' writes are looked for."""
        if waits:
            self._waiting.add(holding)
        else:
            self._waiting.discard(holding)
        if self._writer is not None:
            self._writer.watch(bool(self._waiting))

    def forget(self, subscription: ClaimingSubscription) -> None:
        """Wake a subscription no more: it is closed."""
        self._subscriptions.get(subscription.queue, set()).discard(subscription)

    def _wake(self, queues: set[str] | None) -> None:
        for queue in self._subscriptions if queues is None else queues:
            for subscription in self._subscriptions.get(queue, ()):
                subscription.changed.set()


def create(
    name: str, url: Dsn, options: Mapping[str, Any], *, base: Path, clock: Callable[[], float]
) -> SqliteTransport:
    """Make the transport of an ``sqlite:///`` address; opens nothing.

    Raises:
        ConfigurationError: the address or an option is wrong; names each.
    """
    return SqliteTransport(name, settings.read(name, url, options, base), clock)
