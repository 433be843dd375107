"""The transport: a table in a PostgreSQL database, with one connection for each kind of work."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from transports.dsn import Dsn
from transports.postgres import counting, faults, finding, schema, settings
from transports.postgres.batches import Publishes, Settles
from transports.postgres.claiming import Claiming
from transports.postgres.faults import OutcomeUnknown
from transports.postgres.features import features
from transports.postgres.holding import Holding
from transports.postgres.links import Links
from transports.postgres.notifications import Notifications
from transports.postgres.numbers import Numbers
from transports.postgres.publishing import Publishing
from transports.postgres.settling import Settling
from transports.postgres.timekeeping import Timekeeper
from transports.subscription import Claimed, ClaimingSubscription
from worker.errors import TransportUnavailable
from worker.messaging.transport import (
    Ack,
    Again,
    Delivery,
    Depth,
    Outcome,
    OutcomeKind,
    Outgoing,
    QueueSpec,
    Settled,
    Settlement,
)

_PING = 2.0
"""Seconds within which the server must answer."""


class PostgresTransport:
    """Queues in a database. Connect in the process that uses it: a connection does not survive a fork.

    Args:
        name: of the transport.
        configured: its settings.
        clock: seconds, in place of the server's clock; None for that.
    """

    def __init__(
        self, name: str, configured: settings.Settings, clock: Callable[[], float] | None = None
    ) -> None:
        self.name = name
        self.features = features(configured.max_bytes, configured.lease)
        self.lease = configured.lease
        self._settings = configured
        self._time = Timekeeper(clock)
        self._connected = False
        self._subscriptions: dict[str, set[ClaimingSubscription]] = {}
        self._beside: set[asyncio.Task[None]] = set()
        self._numbers = Numbers()
        self._publishing = Publishing(self._numbers, configured.max_bytes, self._time)
        self._claiming = Claiming(self._numbers, configured.lease, self._time)
        self._settling = Settling(self._numbers, self._time)

    async def connect(self) -> None:
        """Open a connection; the others follow when there is something for them to do.

        Raises:
            TransportUnavailable: the server does not answer; names it, without password.
        """
        if self._connected:
            return

        self._links = links = Links(self._settings, self.name, self._numbers.forget)
        self._notifications = Notifications(self._settings, self.name, self._wake)
        self._incoming = Publishes(links.publishes, self._publishing, self._time)
        self._outgoing = Settles(links.settles, self._settling, self._time, self._settings.timeout)
        try:
            await links.looks.run(lambda connection: schema.is_there(connection, self._settings.shown))
            with contextlib.suppress(TransportUnavailable):  # a standby cannot be written to, but looked at
                await links.looks.run(self._time.compare)
        except BaseException:
            await links.looks.close()
            raise
        self._connected = True

    def _opened(self) -> Links:
        if not self._connected:
            shown = self._settings.shown
            raise TransportUnavailable(f"postgresql {shown}: transport {self.name!r} is not connected")
        return self._links

    async def setup(self, queues: Sequence[QueueSpec]) -> None:
        """Create what is missing. Where nothing is, it changes nothing and needs no right to create.

        Raises:
            TransportUnavailable: the server does not answer, or refuses.
        """
        names = [spec.name for spec in queues]
        shown = self._settings.shown
        link = self._opened().looks
        there = await link.run(lambda connection: schema.is_whole(connection, shown))
        missing = await link.run(lambda connection: schema.missing(connection, shown, names))
        if missing or not there:
            await link.run(lambda connection: schema.create(connection, shown, names))
            self._changed(names)

    async def missing(self, queues: Sequence[QueueSpec]) -> Sequence[str]:
        """Names of queues that were not set up."""
        names = [spec.name for spec in queues]
        shown = self._settings.shown
        return await self._opened().looks.run(lambda connection: schema.missing(connection, shown, names))

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish, together with what else is published meanwhile; returns after the commit.

        Raises:
            TransportUnavailable: none of them was taken.
        """
        self._opened()
        if self._time.due:
            self._spawn(self._compare())
        try:
            outcomes = await self._incoming.submit(batch)
        except OutcomeUnknown as error:
            return [Outcome(OutcomeKind.UNKNOWN, str(error))] * len(batch)
        taken = {message.queue for message, outcome in zip(batch, outcomes, strict=True) if outcome.accepted}
        self._changed(taken)
        return outcomes

    async def subscribe(self, queue: QueueSpec, *, slots: int) -> ClaimingSubscription:
        """Start consuming a queue."""
        self._opened()
        self._notifications.listen()
        holding = Holding(self, queue.name)
        subscription = ClaimingSubscription(queue.name, holding, self.forget)
        self._subscriptions.setdefault(queue.name, set()).add(subscription)
        return subscription

    async def depth(self, queues: Sequence[str]) -> Mapping[str, Depth]:
        """Count exactly.

        Raises:
            TransportUnavailable: the server does not answer.
        """
        now = self._time()
        return await self._opened().looks.run(lambda connection: counting.count(connection, queues, now))

    async def holds(self, queue: str, ids: Sequence[str]) -> frozenset[str]:
        """Return those of ``ids`` that the queue still has.

        Raises:
            TransportUnavailable: the server does not answer.
        """
        return await self._opened().looks.run(lambda connection: finding.held(connection, queue, ids))

    async def ping(self) -> None:
        """Prove within two seconds that the server answers, and takes writes.

        Raises:
            TransportUnavailable: it does not.
        """
        try:
            async with asyncio.timeout(_PING):
                read_only = await self._opened().publishes.run(
                    lambda connection: connection.fetchval("SELECT current_setting('transaction_read_only')")
                )
        except TimeoutError:
            shown = self._settings.shown
            raise TransportUnavailable(f"postgresql {shown}: no answer within {_PING:g} s") from None
        if read_only == "on":
            raise faults.read_only(self._settings.shown)

    async def close(self) -> None:
        """Finish what was asked, give back what is being taken, and let go of the connections."""
        if not self._connected:
            return
        for subscription in [each for group in self._subscriptions.values() for each in group]:
            await subscription.close(self._settings.timeout)
        self._connected = False
        self._outgoing.give_up()
        await self._incoming.finish()
        await self._outgoing.finish()
        await self._notifications.close()
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        await self._links.close()

    def wake(self) -> None:
        """Let every waiting ``receive`` look again; call it after moving the clock."""
        self._wake(None)

    # --- for subscriptions ---------------------------------------------------------------------------------------

    def mark(self) -> int:
        """Make the mark of a claim."""
        return self._claiming.marks.next()

    async def claim(self, queue: str, limit: int, lease: int, doubtful: Sequence[int]) -> Claimed:
        """Take messages under the mark ``lease``, and give back what was taken under ``doubtful``.

        Raises:
            OutcomeUnknown: it may have taken some all the same.
            TransportUnavailable: it took none.
        """
        link = self._opened().claims
        if self._time.due:
            await self._compare()
        if doubtful:
            await link.run(lambda connection: self._claiming.undo(connection, queue, doubtful))
        return await link.run(lambda connection: self._claiming.claim(connection, queue, limit, lease))

    def settle(self, items: Sequence[Settlement]) -> asyncio.Future[Sequence[Settled]]:
        """Settle, together with what else is settled meanwhile; the future never raises."""
        answer: asyncio.Future[Sequence[Settled]] = asyncio.get_running_loop().create_future()

        def settled(future: asyncio.Future[list[Settled]]) -> None:
            failed = future.cancelled() or future.exception() is not None
            answers = [Settled.UNKNOWN] * len(items) if failed else future.result()
            if not answer.done():
                answer.set_result(answers)
            self._changed(_freed(items, answers))

        self._outgoing.submit(items).add_done_callback(settled)
        return answer

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold for another lease.

        Raises:
            TransportUnavailable: the server does not answer.
        """
        return await self._opened().claims.run(
            lambda connection: self._claiming.extend(connection, deliveries)
        )

    def forget(self, subscription: ClaimingSubscription) -> None:
        """Wake a subscription no more: it is closed."""
        self._subscriptions.get(subscription.queue, set()).discard(subscription)

    async def _compare(self) -> None:
        """Compare the time; where the server does not answer, what is asked of it next will say so."""
        with contextlib.suppress(TransportUnavailable):
            await self._opened().looks.run(self._time.compare)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    # --- waking --------------------------------------------------------------------------------------------------

    def _changed(self, queues: Collection[str]) -> None:
        if queues and self._connected:
            self._wake(queues)
            self._notifications.tell(queues)

    def _wake(self, queues: Collection[str] | None) -> None:
        for queue in self._subscriptions if queues is None else queues:
            for subscription in self._subscriptions.get(queue, ()):
                subscription.changed.set()


def create(
    name: str, url: Dsn, options: Mapping[str, Any], *, base: Path, clock: Callable[[], float]
) -> PostgresTransport:
    """Make the transport of a ``postgresql://`` address; opens nothing.

    Where ``clock`` is ``time.time``, the server's clock is used in its place, as that is one for all workers; any other
    clock is used instead of the server's.

    Raises:
        ConfigurationError: the address or an option is wrong; names each.
    """
    return PostgresTransport(name, settings.read(name, url, options), None if clock is time.time else clock)


def _freed(items: Sequence[Settlement], answers: Sequence[Settled]) -> set[str]:
    """Queues in which something may have become visible."""
    freed: set[str] = set()
    for item, answer in zip(items, answers, strict=True):
        if answer is Settled.DONE and not (type(item) is Ack and item.delivery.key is None):
            freed.add(item.outgoing.queue if isinstance(item, Again) else item.delivery.queue)
            if item.delivery.key is not None:
                freed.add(item.delivery.queue)
    return freed
