"""The broker in memory: queues of one process, one loop, and one clock that tests may move."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from transports.dsn import Dsn
from transports.memory.holding import Holding
from transports.memory.queue import Queue
from transports.options import Options
from transports.subscription import ClaimingSubscription
from worker.errors import TransportUnavailable
from worker.messaging.refusal import refusal
from worker.messaging.steady import SteadyClock
from worker.messaging.transport import (
    ACCEPTED,
    Depth,
    Features,
    Outcome,
    OutcomeKind,
    Outgoing,
    QueueSpec,
)


class MemoryTransport:
    """Everything encoded, nothing kept.

    Args:
        lease: seconds for which a delivery is held.
        max_bytes: largest body.
        clock: seconds; after moving it call ``wake``.
    """

    def __init__(self, name: str, *, lease: float, max_bytes: int, clock: Callable[[], float]) -> None:
        self.name = name
        self.lease = lease
        self.clock: Callable[[], float] = SteadyClock(clock)
        self.features = Features(
            durable=False,
            shared=False,
            ordering="key",
            max_delay=float("inf"),
            lease=True,
            returns_after=lease,
            replaces=True,
            priorities=10,
            max_bytes=max_bytes,
            depth="exact",
            counts_deliveries=True,
        )
        self._queues: dict[str, Queue] = {}
        self._subscriptions: list[ClaimingSubscription] = []
        self._open = False

    async def connect(self) -> None:
        """Open it; what it held is still there."""
        self._open = True

    async def setup(self, queues: Sequence[QueueSpec]) -> None:
        """Create what is missing."""
        for spec in queues:
            self._queues.setdefault(spec.name, Queue())
        self.wake()

    async def missing(self, queues: Sequence[QueueSpec]) -> Sequence[str]:
        """Names of queues that were not set up."""
        return [spec.name for spec in queues if spec.name not in self._queues]

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Take them all at once.

        Raises:
            TransportUnavailable: it is not connected.
        """
        await self.ping()
        now = self.clock()
        outcomes = [self._put(outgoing, now) for outgoing in batch]
        self.wake()
        return outcomes

    async def subscribe(self, queue: QueueSpec, *, slots: int) -> ClaimingSubscription:
        """Start consuming a queue."""
        subscription = ClaimingSubscription(queue.name, Holding(self, queue.name), self.forget)
        self._subscriptions.append(subscription)
        return subscription

    async def ping(self) -> None:
        """Say whether it is connected.

        Raises:
            TransportUnavailable: it is not.
        """
        if not self._open:
            raise TransportUnavailable(f"transport {self.name!r} (memory://) is not connected")

    async def depth(self, queues: Sequence[str]) -> Mapping[str, Depth]:
        """Count exactly; zeros for a queue that was never set up."""
        now = self.clock()
        empty = Depth(ready=0, in_flight=0, delayed=0)
        return {name: self._queues[name].depth(now) if name in self._queues else empty for name in queues}

    async def close(self) -> None:
        """Let go of the subscriptions."""
        self._open = False
        for subscription in tuple(self._subscriptions):
            await subscription.close(0.0)

    def queue(self, name: str) -> Queue | None:
        """Return a queue that was set up."""
        return self._queues.get(name)

    def wake(self) -> None:
        """Let every waiting ``receive`` look again; call it after moving the clock."""
        for subscription in self._subscriptions:
            subscription.changed.set()

    def forget(self, subscription: ClaimingSubscription) -> None:
        """Wake it no more: it is closed."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def next_due(self) -> float | None:
        """When (by the clock) the next message can be handed out, or comes back; None when all is empty."""
        now = self.clock()
        times = [due for queue in self._queues.values() if (due := queue.next_due(now)) is not None]
        return min(times, default=None)

    def _put(self, outgoing: Outgoing, now: float) -> Outcome:
        queue = self._queues.get(outgoing.queue)
        if queue is None:
            return Outcome(OutcomeKind.UNROUTABLE, f"queue {outgoing.queue!r} was never set up")
        reason = refusal(outgoing, self.features.max_bytes)
        if reason is not None:
            return Outcome(OutcomeKind.REFUSED, reason)
        queue.put(outgoing, now)
        return ACCEPTED


def create(
    name: str, url: Dsn, options: Mapping[str, Any], *, base: Path, clock: Callable[[], float]
) -> MemoryTransport:
    """Make the transport of a ``memory://`` address.

    Raises:
        ConfigurationError: an option is unknown or wrong.
    """
    reader = Options(name, options)
    lease = reader.number("lease", 60.0, minimum=1.0)
    max_bytes = reader.whole("max_bytes", 16 * 1024 * 1024, minimum=1, unit="bytes")
    if url.hosts or url.path not in {"", "/"} or url.query:
        reader.fault("url", url.masked, "'memory://' and nothing after it")
    reader.finish()
    return MemoryTransport(name, lease=lease, max_bytes=max_bytes, clock=clock)
