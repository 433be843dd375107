"""A consumer's hold on one queue: handed out ahead, settled in batches, rebuilt whenever the broker ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from transports.rabbitmq.connection import Connection
from transports.rabbitmq.consumption import TIMEOUT, Consumption
from transports.rabbitmq.prefetched import Prefetched
from transports.rabbitmq.receipt import DEAD, KEYS, MAIN, Receipt
from transports.rabbitmq.settings import Settings
from transports.rabbitmq.upkeep import Upkeep
from transports.rabbitmq.waiters import Waiters
from transports.rabbitmq.wire.faults import WireFault
from worker.errors import TransportUnavailable
from worker.messaging.transport import (
    Ack,
    Again,
    Delivery,
    Outcome,
    Outgoing,
    QueueSpec,
    Release,
    Settled,
    Settlement,
)

_MOST, _KEYS, _DEAD = 1024, 256, 8
"""Messages held ahead at most: of a queue, in the lanes of its keys, and of what was put aside."""
_RETURN = 5.0
"""Seconds after which a message whose next attempt could not be published is handed out again."""

T = TypeVar("T")


class Owner(Protocol):
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
        """It is closed."""
        ...


class RabbitSubscription:
    """Consumes over a channel of its own; open it before use.

    Args:
        owner: its transport.
        connection: over which to consume.
        spec: the queue.
        slots: handlers that run at once.
    """

    def __init__(self, owner: Owner, connection: Connection, spec: QueueSpec, slots: int) -> None:
        self.spec = spec
        self._owner = owner
        self._connection = connection
        self._least = self._prefetch = max(2 * slots, 2)
        self._waiters = Waiters()
        self._attempts: dict[str, tuple[Outgoing, float]] = {}
        self._paused = False
        self._closed = False
        self._changing = asyncio.Lock()
        self._widening = False
        self._under_way: set[asyncio.Task[Any]] = set()
        self._upkeep = Upkeep(
            owner.name,
            spec.name,
            connection,
            begin=self._begin,
            create=lambda: owner.setup([spec]),
            changed=self._waiters.wake_all,
        )

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
                    self._connection.link  # noqa: B018  # where there is none, its reason is the better one
                    raise self._connection.unavailable(f"queue {self.spec.name!r}: {self._upkeep.reason}")
                if consumption.prefetched.ready:
                    return self._hand_out(consumption, limit)
            left = deadline - loop.time()
            if left <= 0:
                break
            await self._waiters.wait(left)
        return []

    def _hand_out(self, consumption: Consumption, limit: int) -> list[Delivery]:
        taken = consumption.prefetched.take(limit)
        consumption.hand_out(taken)
        if consumption.prefetched.ready:
            self._waiters.wake()
        if limit * 2 > self._prefetch and self._prefetch < _MOST and not self._widening:
            self._widening = True
            self._spawn(self._widen(min(limit * 2, _MOST)))
        return taken

    # --- settling ---------------------------------------------------------------------------------------------------

    async def settle(self, items: Sequence[Settlement]) -> Sequence[Settled]:
        """Settle; an ack is done once it is on its way, as AMQP confirms none. Never raises."""
        answers: list[Settled] = []
        moving: list[tuple[int, Again]] = []
        current = self._upkeep.current
        for item in items:
            delivery = item.delivery
            receipt: Receipt = delivery.receipt
            consumption = receipt.consumption
            if consumption is not current or not consumption.reclaim(receipt):
                answers.append(Settled.LOST)
                continue
            answers.append(Settled.DONE)
            if type(item) is Ack:
                consumption.ack(receipt.tag)
                if receipt.source == KEYS:
                    consumption.prefetched.leave(delivery)
            elif isinstance(item, Release):
                self._release(delivery, item.delay)
            elif isinstance(item, Again):
                if receipt.source == KEYS and _same(item):
                    consumption.prefetched.again(item)
                else:
                    moving.append((len(answers) - 1, item))
        if moving:
            moved = self._spawn(self._move([item for _, item in moving]))
            for (place, _), answer in zip(moving, await asyncio.shield(moved), strict=True):
                answers[place] = answer
        if self._paused and self.spec.keyed:
            self._spawn(self._apply_pause())  # perhaps nothing of the lanes is out any more
        return answers

    def _release(self, delivery: Delivery, delay: float) -> None:
        receipt: Receipt = delivery.receipt
        if receipt.source == KEYS:
            receipt.consumption.prefetched.back(delivery, delay)
        elif delay > 0 and not self._paused:
            receipt.consumption.prefetched.hold_back(delivery, delay)
        else:
            receipt.consumption.give_back([receipt.tag])

    async def _move(self, items: Sequence[Again]) -> list[Settled]:
        """Publish next attempts, and ack each original once its copy is confirmed."""
        try:
            outcomes = await self._owner.send([item.outgoing for item in items])
        except TransportUnavailable:
            outcomes = []
        answers = []
        for number, item in enumerate(items):
            receipt: Receipt = item.delivery.receipt
            taken = number < len(outcomes) and outcomes[number].accepted
            if receipt.consumption is self._upkeep.current:
                if taken:
                    receipt.consumption.ack(receipt.tag)
                    if receipt.source == KEYS:
                        receipt.consumption.prefetched.leave(item.delivery)
                else:
                    self._return_later(item.delivery)
            else:
                taken = False  # the original comes again, beside its next attempt
            answers.append(Settled.DONE if taken else Settled.UNKNOWN)
        return answers

    def _return_later(self, delivery: Delivery) -> None:
        """Nothing was changed: its holder may try again; else it is handed out anew."""
        receipt: Receipt = delivery.receipt
        receipt.consumption.hand_out([delivery])

        def expired() -> None:
            if receipt.consumption is self._upkeep.current and receipt.consumption.reclaim(receipt):
                self._release(delivery, 0.0)

        asyncio.get_running_loop().call_later(_RETURN, expired)

    # --- pausing and closing ----------------------------------------------------------------------------------------

    async def pause(self) -> None:
        """Stop taking; what came and was not received goes back.

        In the lanes of keys it goes back once what was received of them is settled: another consumer must
        not have a key's next message while its first is being handled here.
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
            consumption.flush()
            await consumption.channel.close(max(grace, 1.0))  # what is still unsettled goes back with it
        self._owner.forget(self)

    async def _apply_pause(self) -> None:
        async with self._changing:
            consumption = self._upkeep.current
            if consumption is None or not self._paused or self._closed:
                return
            keyed = any(receipt.source == KEYS for receipt in consumption.out.values())
            sources = {MAIN, DEAD} if keyed else {MAIN, DEAD, KEYS}
            if await self._change(consumption, consumption.stop(sources)):
                consumption.give_back(consumption.prefetched.withdraw(sources))

    # --- generations ------------------------------------------------------------------------------------------------

    async def _begin(self) -> Consumption:
        channel = await self._connection.link.channel(TIMEOUT)
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
        """From where to take, and how many ahead."""
        wanted = {MAIN: self._prefetch}
        if self.spec.keyed:
            wanted[KEYS] = max(_KEYS, self._least)
        if self._owner.settings.queue_type == "quorum":
            wanted[DEAD] = _DEAD
        return wanted

    async def _widen(self, prefetch: int) -> None:
        """Take more ahead: the worker's handlers are quick."""
        async with self._changing:
            self._prefetch = prefetch
            consumption = self._upkeep.current
            if consumption is not None and MAIN in consumption.active:
                await self._change(consumption, consumption.widen(prefetch))
        self._widening = False

    async def _change(self, consumption: Consumption, change: Coroutine[Any, Any, None]) -> bool:
        """Change what is consumed; where the broker does not let us, the generation is over."""
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


def _same(item: Again) -> bool:
    delivery, outgoing = item.delivery, item.outgoing
    return (delivery.queue, delivery.id, delivery.key) == (outgoing.queue, outgoing.id, outgoing.key)
