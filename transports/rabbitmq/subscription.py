"""A consumer's hold on one queue: messages come ahead, are settled in batches, and a consumer that ends is replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from transports.rabbitmq.connection import Connection
from transports.rabbitmq.consumption import TIMEOUT, Consumption
from transports.rabbitmq.prefetched import Prefetched
from transports.rabbitmq.receipt import DEAD, KEYS, MAIN
from transports.rabbitmq.settings import Settings
from transports.rabbitmq.settling import Settling
from transports.rabbitmq.upkeep import Upkeep
from transports.rabbitmq.waiters import Waiters
from transports.rabbitmq.wire.faults import WireFault
from worker.messaging.transport import (
    Delivery,
    Outcome,
    Outgoing,
    QueueSpec,
    Settled,
    Settlement,
)

_MOST, _KEYS, _DEAD = 1024, 256, 8
"""Most messages held ahead: of the main queue, in the lanes of keys, and of what was put aside."""
_REVIEW = 10.0
"""Seconds of little demand after which fewer are held ahead."""

_ON_ITS_WAY = 0.02
"""Seconds that messages may still be on their way when the broker counts none any more."""

_DOUBT = 2.0
"""Seconds after which a message that is counted and does not come counts as one that cannot come."""

T = TypeVar("T")


class RabbitOwner(Protocol):
    """What a subscription asks of its transport."""

    name: str
    clock: Callable[[], float]
    settings: Settings

    async def setup(self, queues: Sequence[QueueSpec]) -> None:
        """Create what is missing."""
        ...

    async def send(self, messages: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish, whatever their size."""
        ...

    def forget(self, subscription: RabbitSubscription) -> None:
        """Drop a subscription: it is closed."""
        ...


class RabbitSubscription:
    """Consumes over a channel of its own; open it before use.

    Args:
        owner: its transport.
        connection: over which to consume.
        spec: the queue.
        slots: how many handlers run at once.

    Attributes:
        recalled: called when all that was handed out is lost, and comes again: what was not started must not be started.
    """

    def __init__(self, owner: RabbitOwner, connection: Connection, spec: QueueSpec, slots: int) -> None:
        self.spec = spec
        self.recalled: Callable[[], None] | None = None
        self._owner = owner
        self._connection = connection
        self._least = self._prefetch = max(2 * slots, 2)
        self._widest = 0
        self._review_at = asyncio.get_running_loop().time() + _REVIEW
        self._waiters = Waiters()
        self._attempts: dict[str, tuple[Outgoing, float]] = {}
        self._paused = False
        self._closed = False
        self._came = 0  # when the broker was last asked
        self._doubted: tuple[int, float] | None = (
            None  # what had come when the broker said there was more, and when
        )
        self._changing = asyncio.Lock()
        self._widening = False
        self._under_way: set[asyncio.Task[Any]] = set()
        self._upkeep = Upkeep(
            owner.name,
            spec.name,
            connection,
            begin=self._begin,
            create=lambda: owner.setup([spec]),
            changed=self._changed,
        )
        self._settling = Settling(owner.send, lambda: self._upkeep.current, self._spawn)

    async def open(self) -> None:
        """Begin to consume, and go on until closed.

        Raises:
            TransportUnavailable: the broker does not answer, or refuses.
            ConfigurationError: the queue exists with other arguments.
        """
        await self._upkeep.start()

    # --- taking -----------------------------------------------------------------------------------------------------

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        """Take up to ``limit`` of what has come; wait up to ``wait`` seconds for the first.

        Raises:
            TransportUnavailable: nothing is consumed at the moment; says why.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        while not self._closed:
            if not self._paused and limit > 0:
                consumption = self._upkeep.current
                if consumption is None:
                    self._connection.amqp  # noqa: B018  # where there is none, its reason is the better one
                    raise self._connection.unavailable(f"queue {self.spec.name!r}: {self._upkeep.reason}")
                if consumption.prefetched.ready:
                    return self._hand_out(consumption, limit)
            left = deadline - loop.time()
            if left <= 0:
                break
            await self._waiters.wait(left)
        return []

    async def exhausted(self) -> bool:
        """Whether nothing waits at the broker for this process, and nothing is on its way.

        A message that is counted and does not come waits for something else: for lanes that are full, or for another
        consumer. It does not count.

        Raises:
            TransportUnavailable: the broker does not answer.
        """
        consumption = self._upkeep.current
        if consumption is None:
            raise self._connection.unavailable(f"queue {self.spec.name!r}: {self._upkeep.reason}")
        try:
            waiting = await consumption.waiting(tuple(consumption.active))
            if not waiting and consumption.came - self._came >= self._prefetch:
                # while much comes, a quorum queue may count a message as handed out before it has sent it
                await asyncio.sleep(_ON_ITS_WAY)
                waiting = await consumption.waiting(tuple(consumption.active))
            self._came = consumption.came
        except (WireFault, TimeoutError) as error:
            raise self._connection.unavailable(error) from error
        now = asyncio.get_running_loop().time()
        if not waiting or self._doubted is None or self._doubted[0] != consumption.came:
            self._doubted = (consumption.came, now) if waiting else None
        doubtful = self._doubted is not None and now - self._doubted[1] <= _DOUBT
        return not (doubtful or consumption.prefetched.ready)

    def _hand_out(self, consumption: Consumption, limit: int) -> list[Delivery]:
        taken = consumption.prefetched.take(limit)
        consumption.hand_out(taken)
        if consumption.prefetched.ready:
            self._waiters.wake()
        self._adapt(limit)
        return taken

    def _adapt(self, limit: int) -> None:
        """Hold twice as many messages ahead as are asked for at once: more for quick handlers, fewer for slow ones."""
        now = asyncio.get_running_loop().time()
        self._widest = max(self._widest, limit)
        wanted = self._prefetch
        if self._widest * 2 > self._prefetch:
            wanted = min(self._widest * 2, _MOST)
        elif now >= self._review_at:
            if self._widest * 4 <= self._prefetch:
                wanted = max(self._widest * 2, self._least)
            self._widest = 0
            self._review_at = now + _REVIEW
        if wanted != self._prefetch and not self._widening:
            self._widening = True
            self._spawn(self._widen(wanted))

    async def settle(self, items: Sequence[Settlement]) -> Sequence[Settled]:
        """Settle; an ack counts as done once it is on its way, as AMQP confirms no ack. Never raises."""
        answers = await self._settling.settle(items, give_back=self._paused)
        if self._paused and self.spec.keyed:
            self._spawn(self._apply_pause())  # perhaps the last message was settled that kept the lanes here
        return answers

    # --- pausing and closing ----------------------------------------------------------------------------------------

    async def pause(self) -> None:
        """Stop taking; what came and was not received goes back.

        The lanes of keys go back once all that was received is settled: no other consumer may have a key's next message
        while its first is being handled here.
        """
        self._paused = True
        await self._apply_pause()

    async def resume(self) -> None:
        """Take again."""
        self._paused = False
        async with self._changing:
            consumption = self._upkeep.current
            if consumption is not None and not self._closed:
                wanted = {k: v for k, v in self._wanted().items() if k not in consumption.active}
                await self._change(consumption, consumption.start(wanted))
        self._waiters.wake_all()

    async def close(self, grace: float) -> None:
        """Give back what was not received; wait up to ``grace`` seconds for what is under way."""
        if self._closed:
            return
        self._closed = self._paused = True
        self._waiters.wake_all()
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=grace)
        consumption = await self._upkeep.stop()
        if consumption is not None:
            await consumption.close(max(grace, 1.0))
        self._owner.forget(self)

    async def _apply_pause(self) -> None:
        async with self._changing:
            consumption = self._upkeep.current
            if consumption is None or not self._paused or self._closed:
                return
            sources = {MAIN, DEAD}
            if await self._change(consumption, consumption.stop(sources)):
                consumption.give_back(consumption.prefetched.withdraw(sources))
                if KEYS in consumption.active and not consumption.out:
                    # closing their channel gives all lanes back at once, before another worker gets what follows
                    consumption.flush()
                    await self._upkeep.replace(consumption)

    def _changed(self) -> None:
        """Tell that a generation has begun or ended; when it ends, its receipts are not valid any more."""
        if self._upkeep.current is None and self.recalled is not None:
            self.recalled()
        self._waiters.wake_all()

    # --- generations ------------------------------------------------------------------------------------------------

    async def _begin(self) -> Consumption:
        channel = await self._connection.amqp.channel(TIMEOUT)
        limit = self._owner.settings.delivery_limit
        held = Prefetched(self._waiters.wake, self._attempts)
        consumption = Consumption(channel, self.spec.name, limit, held, self._owner.clock)
        if not self._paused:
            try:
                await consumption.start(self._wanted())
            except BaseException:
                await channel.close(0.0)
                raise
        return consumption

    def _wanted(self) -> Mapping[str, int]:
        """Return from which sources to take, and how many messages ahead of each."""
        wanted = {MAIN: self._prefetch}
        if self.spec.keyed:
            wanted[KEYS] = max(_KEYS, self._least)
        if self._owner.settings.queue_type == "quorum":
            wanted[DEAD] = _DEAD
        return wanted

    async def _widen(self, prefetch: int) -> None:
        """Hold another number of messages ahead."""
        async with self._changing:
            self._prefetch = prefetch
            consumption = self._upkeep.current
            if consumption is not None and MAIN in consumption.active:
                await self._change(consumption, consumption.widen(prefetch))
        self._widening = False

    async def _change(self, consumption: Consumption, change: Coroutine[Any, Any, None]) -> bool:
        """Change what is consumed; where the broker refuses, or does not answer, the generation ends."""
        try:
            await change
        except (WireFault, TimeoutError):
            await consumption.channel.close(0.0)
            return False
        return True

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task
