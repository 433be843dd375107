"""A consumer's hold on one queue: handed out ahead, settled in batches, rebuilt whenever the broker ends it."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec
import structlog

from transports.rabbitmq.connection import Connection
from transports.rabbitmq.consumption import DEAD, KEYS, MAIN, TIMEOUT, Consumption, Receipt
from transports.rabbitmq.lanes import Lanes
from transports.rabbitmq.settings import Settings
from transports.rabbitmq.wire.faults import ChannelClosed, LinkLost, WireFault
from worker.errors import TransportUnavailable, WorkerError
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

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_CALM = 10.0
"""Seconds of consuming after which a new fault is no repetition of the last."""
_LOOK = 30.0
"""Seconds without a message after which the broker is asked whether it still knows us."""
_MOST, _KEYS, _DEAD = 1024, 256, 8
"""Messages held ahead at most: of a queue, in the lanes of its keys, and of what was put aside."""
_RETURN = 5.0
"""Seconds after which a message whose next attempt could not be published is handed out again."""

log = structlog.stdlib.get_logger("worker.rabbitmq")


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

    async def look(self, queue: str) -> tuple[int, int] | None:
        """Ready messages and consumers of a queue; None where it is missing."""
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
        self._least = max(2 * slots, 2)
        self._prefetch = self._least
        self._ready: deque[Delivery] = deque()
        self._lanes = Lanes(self._offer)
        self._held_back: dict[asyncio.TimerHandle, Delivery] = {}
        self._attempts: dict[str, tuple[Outgoing, float]] = {}
        self._receivers: deque[asyncio.Future[None]] = deque()
        self._consumption: Consumption | None = None
        self._reason = "not consuming yet"
        self._paused = False
        self._closed = False
        self._changing = asyncio.Lock()
        self._keeping: asyncio.Task[None] | None = None
        self._widening: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Future[object]] = set()

    async def open(self) -> None:
        """Begin to consume, and go on until closed.

        Raises:
            TransportUnavailable: the broker does not answer, or refuses.
            ConfigurationError: the queue exists with other arguments.
        """
        self._consumption = await self._consume()
        self._keeping = asyncio.get_running_loop().create_task(self._keep())

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
                if self._ready:
                    return self._hand_out(limit)
                if self._consumption is None:
                    raise self._connection.unavailable(f"queue {self.spec.name!r}: {self._reason}")
            left = deadline - loop.time()
            if left <= 0:
                break
            await self._wait(left)
        return []

    def _hand_out(self, limit: int) -> list[Delivery]:
        ready, consumption = self._ready, self._consumption
        assert consumption is not None
        if len(ready) <= limit:
            taken = list(ready)
            ready.clear()
        else:
            taken = [ready.popleft() for _ in range(limit)]
        for delivery in taken:
            consumption.hand_out(delivery)
        if ready:
            self._wake()
        if limit * 2 > self._prefetch and self._prefetch < _MOST and self._widening is None:
            self._widening = asyncio.get_running_loop().create_task(self._widen(min(limit * 2, _MOST)))
        return taken

    async def _wait(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(seconds, _resolve, future)
        self._receivers.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._wake()  # somebody else may want what this one was woken for
            raise
        finally:
            timer.cancel()
            if future in self._receivers:
                self._receivers.remove(future)

    def _wake(self) -> None:
        while self._receivers:
            future = self._receivers.popleft()
            if not future.done():
                future.set_result(None)
                return

    def _wake_all(self) -> None:
        for future in self._receivers:
            _resolve(future)
        self._receivers.clear()

    # --- settling ---------------------------------------------------------------------------------------------------

    async def settle(self, items: Sequence[Settlement]) -> Sequence[Settled]:
        """Settle; an ack is done once it is on its way, as AMQP confirms none. Never raises."""
        answers: list[Settled] = []
        moving: list[tuple[int, Again]] = []
        for item in items:
            delivery = item.delivery
            receipt: Receipt = delivery.receipt
            consumption = receipt.consumption
            if consumption is not self._consumption or not consumption.reclaim(receipt):
                answers.append(Settled.LOST)
                continue
            answers.append(Settled.DONE)
            if type(item) is Ack:
                consumption.ack(receipt.tag)
                if receipt.source == KEYS:
                    self._leave(delivery)
            elif isinstance(item, Release):
                self._release(delivery, item.delay)
            elif isinstance(item, Again):
                if receipt.source == KEYS and _same(item):
                    self._again(item)
                else:
                    moving.append((len(answers) - 1, item))
        if moving:
            moved = asyncio.ensure_future(self._move([item for _, item in moving]))
            self._under_way.add(moved)
            moved.add_done_callback(self._under_way.discard)
            for (place, _), answer in zip(moving, await asyncio.shield(moved), strict=True):
                answers[place] = answer
        return answers

    def _leave(self, delivery: Delivery) -> None:
        """The next of its key comes forward."""
        assert delivery.key is not None
        self._attempts.pop(delivery.id, None)
        self._lanes.done(delivery.key)
        if self._paused:
            self._later(self._apply_pause)

    def _release(self, delivery: Delivery, delay: float) -> None:
        receipt: Receipt = delivery.receipt
        if receipt.source == KEYS:
            assert delivery.key is not None
            self._lanes.again(delivery.key, _anew(delivery), delay)
            if self._paused:
                self._later(self._apply_pause)
        elif delay > 0 and not self._paused:
            # held here: the broker would hand it out again at once; it comes back by itself if we die
            self._hold_back(_anew(delivery), delay)
        else:
            receipt.consumption.give_back([receipt.tag])

    def _hold_back(self, delivery: Delivery, delay: float) -> None:
        def due() -> None:
            self._held_back.pop(timer, None)
            self._offer(delivery)

        timer = asyncio.get_running_loop().call_later(delay, due)
        self._held_back[timer] = delivery

    def _again(self, item: Again) -> None:
        """Keep the original at the broker, and with it the place; hand the next attempt out instead."""
        delivery, outgoing = item.delivery, item.outgoing
        assert delivery.key is not None
        due = asyncio.get_running_loop().time() + outgoing.delay
        self._attempts[delivery.id] = (outgoing, due)
        self._lanes.again(delivery.key, _following(_anew(delivery), outgoing), outgoing.delay)
        if self._paused:
            self._later(self._apply_pause)

    async def _move(self, items: Sequence[Again]) -> list[Settled]:
        """Publish next attempts, and ack each original once its copy is confirmed."""
        try:
            outcomes = await self._owner.send([item.outgoing for item in items])
        except TransportUnavailable:
            outcomes = []
        answers = []
        for number, item in enumerate(items):
            receipt: Receipt = item.delivery.receipt
            if receipt.consumption is not self._consumption:
                answers.append(Settled.UNKNOWN)
            elif number < len(outcomes) and outcomes[number].accepted:
                receipt.consumption.ack(receipt.tag)
                if receipt.source == KEYS:
                    self._leave(item.delivery)
                answers.append(Settled.DONE)
            else:
                self._return_later(item.delivery)
                answers.append(Settled.UNKNOWN)
        return answers

    def _return_later(self, delivery: Delivery) -> None:
        """Nothing was changed: its holder may try again; else it is handed out anew."""
        receipt: Receipt = delivery.receipt
        receipt.consumption.out[receipt.tag] = receipt

        def expired() -> None:
            if receipt.consumption is self._consumption and receipt.consumption.reclaim(receipt):
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
            consumption = self._consumption
            if consumption is not None and not self._closed:
                wanted = {k: v for k, v in self._wanted().items() if k not in consumption.active}
                try:
                    await consumption.start(wanted)
                except (WireFault, TimeoutError):
                    await consumption.channel.close(0.0)  # built anew
        self._wake_all()

    async def close(self, grace: float) -> None:
        """Give back what was not received; wait up to ``grace`` seconds for what is under way."""
        if self._closed:
            return
        self._closed = self._paused = True
        self._wake_all()
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=grace)
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
        consumption = self._consumption
        if consumption is not None:
            consumption.flush()
            self._drop()
            await consumption.channel.close(max(grace, 1.0))  # what is still unsettled goes back with it
            self._consumption = None
        self._owner.forget(self)

    async def _apply_pause(self) -> None:
        async with self._changing:
            consumption = self._consumption
            if consumption is None or not self._paused:
                return
            keyed = any(receipt.source == KEYS for receipt in consumption.out.values())
            sources = {MAIN, DEAD} if keyed else {MAIN, DEAD, KEYS}
            try:
                await consumption.stop(sources)
            except (WireFault, TimeoutError):
                await consumption.channel.close(0.0)
                return
            going = [d for d in (*self._ready, *self._held_back.values()) if d.receipt.source in sources]
            for timer in self._held_back:
                timer.cancel()
            self._held_back.clear()
            self._ready = deque(d for d in self._ready if d.receipt.source not in sources)
            tags = {delivery.receipt.tag for delivery in going}
            if not keyed:
                tags.update(delivery.receipt.tag for delivery in self._lanes.clear())
            try:
                consumption.give_back(sorted(tags))
            except WireFault:
                pass

    def _drop(self) -> None:
        """Forget what came over a channel that is gone or going."""
        for timer in self._held_back:
            timer.cancel()
        self._held_back.clear()
        self._ready.clear()
        self._lanes.clear()

    # --- keeping it up ----------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE
        while True:
            if self._consumption is not None:
                began = loop.time()
                self._fell(await self._watched(self._consumption))
                if loop.time() - began > _CALM:
                    pause = _FIRST_PAUSE
            await asyncio.sleep(pause * (0.5 + random.random()))
            pause = min(pause * 2, _LONGEST_PAUSE)
            try:
                await self._connection.wait(None)
                consumption = await self._consume()
            except WorkerError as error:
                if self._reason != str(error):
                    log.warning("cannot consume", transport=self._owner.name, queue=self.spec.name, error=str(error))
                self._reason = str(error)
                continue
            self._consumption = consumption
            self._wake_all()
            log.info("consuming again", transport=self._owner.name, queue=self.spec.name)

    async def _watched(self, consumption: Consumption) -> str:
        """Return why a consumption ended; one that brings nothing though something waits is ended."""
        suspected = False
        while True:
            came = consumption.came
            done, _ = await asyncio.wait([consumption.ended], timeout=_LOOK)
            if done:
                return consumption.ended.result()
            if self._paused or consumption.came != came or consumption.out or self._ready:
                suspected = False
                continue
            try:
                found = await self._owner.look(self.spec.name)
            except WorkerError as error:
                return str(error)
            idle = found is not None and found[1] > 0 and found[0] == 0
            if not idle and suspected and consumption.came == came:
                return f"connected, but nothing comes of queue {self.spec.name!r}"
            suspected = not idle

    def _fell(self, reason: str) -> None:
        consumption, self._consumption = self._consumption, None
        self._reason = reason
        self._drop()
        self._wake_all()
        log.warning("not consuming", transport=self._owner.name, queue=self.spec.name, error=reason)
        if consumption is not None and consumption.channel.error is None:
            closing = asyncio.ensure_future(consumption.channel.close(TIMEOUT))
            self._under_way.add(closing)
            closing.add_done_callback(self._under_way.discard)

    async def _consume(self) -> Consumption:
        """Open a channel and consume; a queue that is missing is created."""
        try:
            try:
                return await self._start()
            except ChannelClosed as error:
                if error.code != 404:
                    raise
                await self._owner.setup([self.spec])
                return await self._start()
        except WireFault as error:
            raise self._connection.unavailable(f"queue {self.spec.name!r}: {error}") from error
        except TimeoutError:
            raise self._connection.unavailable(
                f"queue {self.spec.name!r}: no answer within {TIMEOUT:g} s"
            ) from None

    async def _start(self) -> Consumption:
        channel = await self._connection.link.channel(TIMEOUT)
        consumption = Consumption(
            channel, self.spec.name, self._owner.settings.delivery_limit, self._came, self._owner.clock
        )
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
        try:
            async with self._changing:
                consumption = self._consumption
                self._prefetch = prefetch
                if consumption is not None and MAIN in consumption.active:
                    await consumption.widen(prefetch)
        except (WireFault, TimeoutError):
            pass  # the channel is gone: the next one begins with the new number
        finally:
            self._widening = None

    # --- what comes -------------------------------------------------------------------------------------------------

    def _came(self, delivery: Delivery, wait: float) -> None:
        if delivery.receipt.source != KEYS or delivery.key is None:
            self._offer(delivery)
            return
        following = self._attempts.get(delivery.id)
        if following is not None:
            outgoing, due = following
            wait = max(due - asyncio.get_running_loop().time(), 0.0)
            delivery = _following(delivery, outgoing)
        self._lanes.add(delivery.key, delivery, wait)

    def _offer(self, delivery: Delivery) -> None:
        self._ready.append(delivery)
        if self._receivers:
            self._wake()

    def _later(self, action: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.ensure_future(action())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)


def _anew(delivery: Delivery) -> Delivery:
    """The same message for another hand-over: the earlier receipt is worth nothing any more."""
    return msgspec.structs.replace(delivery, receipt=Receipt(*delivery.receipt))


def _following(delivery: Delivery, outgoing: Outgoing) -> Delivery:
    """The next attempt in its original's place."""
    return msgspec.structs.replace(
        delivery, body=outgoing.body, headers={"content-type": outgoing.content_type}, deaths=0
    )


def _same(item: Again) -> bool:
    delivery, outgoing = item.delivery, item.outgoing
    return (delivery.queue, delivery.id, delivery.key) == (outgoing.queue, outgoing.id, outgoing.key)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
