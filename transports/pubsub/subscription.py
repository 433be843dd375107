"""A consumer's hold on one queue: one pull that is never broken off, and what it brought."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any

from transports.pubsub.holding import Era, Hold, Settles
from transports.pubsub.lanes import Lanes
from transports.pubsub.pulling import Puller
from worker.errors import TransportUnavailable
from worker.messaging.transport import Ack, Delivery, QueueSpec, Release, Settled, Settlement

_KEPT = 0.05
"""Seconds that what came while nobody waited is kept for the next ``receive``, before it goes back."""
_EMPTY = 0.5
"""Seconds for which a pull must have been open, and brought nothing, where the queue counts as empty."""
_MOST = 1000
"""Messages in one pull: the service's limit."""
_GLANCE, _FEW = 10.0, 8
"""Seconds between two looks at what was put aside, and how many of it are taken at a time."""


class PubsubSubscription:
    """Pulls when asked to. A pull that nobody waits for any more stays open; what it brings goes back at once.

    To break a pull off would hide what is on its way until its lease ends.

    Args:
        queue: as declared.
        puller: asks for messages.
        dead: asks for what the service has put aside, as it was handed out too often.
        era: this opening of the transport.
        forget: called when it is closed, with its pull if one is open.
    """

    def __init__(
        self,
        queue: QueueSpec,
        puller: Puller,
        dead: Puller,
        era: Era,
        forget: Callable[[PubsubSubscription, asyncio.Task[None] | None], None],
    ) -> None:
        self.queue = queue.name
        self.lease = puller.lease
        self._puller = puller
        self._dead = dead
        self._glance: asyncio.Task[None] | None = None
        self._glanced = -math.inf
        self._era = era
        self._forget = forget
        self._lanes = Lanes() if queue.keyed else None
        self._ready: deque[Delivery] = deque()
        self._changed = asyncio.Event()
        self._waiting = 0
        self._paused = False
        self._closed = False
        self._error: TransportUnavailable | None = None
        self._pull: asyncio.Task[None] | None = None
        self._pulling_since = 0.0
        self._beside: set[asyncio.Task[Any]] = set()

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        """Take up to ``limit`` messages; wait up to ``wait`` seconds for the first.

        Raises:
            TransportUnavailable: the service does not answer, or the subscription is gone; names it.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        self._waiting += 1
        try:
            while not self._closed:
                self._changed.clear()
                error, self._error = self._error, None
                if error is not None:
                    raise error
                if not self._paused and limit > 0:
                    got = self._take(limit)
                    if got:
                        return got
                    self._begin(limit)
                if (left := deadline - loop.time()) <= 0:
                    break
                try:
                    async with asyncio.timeout(left):
                        await self._changed.wait()
                except TimeoutError:
                    pass
        finally:
            self._waiting -= 1
            self._keep_a_while()
        return []

    async def exhausted(self) -> bool:
        """Whether a pull has been open for a while and brought nothing.

        Raises:
            TransportUnavailable: the service does not answer.
        """
        error, self._error = self._error, None
        if error is not None:
            raise error
        if self._ready or self._closed or self._paused:
            return not self._ready
        self._begin(_MOST)
        return asyncio.get_running_loop().time() - self._pulling_since >= _EMPTY

    async def settle(self, items: Sequence[Settlement]) -> Sequence[Settled]:
        """Settle with whatever else is settled meanwhile; never raises."""
        answers = [Settled.LOST] * len(items)
        acks: list[int] = []
        releases: dict[float, list[int]] = {}
        for place, item in enumerate(items):
            if not self._claims(item.delivery):
                continue
            if isinstance(item, Ack):
                acks.append(place)
            elif isinstance(item, Release):
                releases.setdefault(item.delay, []).append(place)
            else:
                item.delivery.receipt.settled = False
                answers[place] = Settled.UNKNOWN  # not replaced here; it comes back
        under_way: list[Coroutine[Any, Any, None]] = []
        if acks:
            under_way.append(self._acknowledge(items, acks, answers))
        under_way += [self._release(items, places, delay, answers) for delay, places in releases.items()]
        if under_way:
            await asyncio.shield(self._spawn(_all(under_way)))
        return answers

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold them, and what waits behind them, for another lease; LOST where somebody else may have them by now."""
        ours = [d for d in deliveries if self._is_ours(d)]
        behind = [] if self._lanes is None else [d for d in self._lanes.behind(ours) if self._is_ours(d)]
        holds: list[Hold] = [delivery.receipt for delivery in (*ours, *behind)]
        answers: dict[Hold, Settled] = {}
        if holds:
            since = asyncio.get_running_loop().time()
            told = await _postpone(holds, self._puller.lease)
            for hold, answer in zip(holds, told, strict=True):
                answers[hold] = answer
                if answer is Settled.DONE:
                    hold.expires = self._puller.until(since)
                elif answer is Settled.LOST:
                    hold.expires = 0.0
        return [answers.get(delivery.receipt, Settled.LOST) for delivery in deliveries]

    async def pause(self) -> None:
        """Stop taking; returns when what was not received is back. An open pull's messages go back when they come."""
        self._paused = True
        self._give_back_all()
        await self._quiesce(None)

    async def resume(self) -> None:
        """Take again."""
        self._paused = False
        self._changed.set()

    async def close(self, grace: float) -> None:
        """Give back what was not received, and wait up to ``grace`` seconds for settlements under way."""
        self._closed = True
        self._changed.set()
        self._give_back_all()
        pull = self._pull
        self._forget(self, pull)
        await self._quiesce(grace)

    # --- taking ----------------------------------------------------------------------------------------------------

    def _take(self, limit: int) -> list[Delivery]:
        got: list[Delivery] = []
        while self._ready and len(got) < limit:
            delivery = self._ready.popleft()
            if not delivery.receipt.lost:
                got.append(delivery)
        return got

    def _begin(self, limit: int) -> None:
        loop = asyncio.get_running_loop()
        if self._glance is None and loop.time() - self._glanced >= _GLANCE:
            self._glanced = loop.time()
            self._glance = self._spawn(self._look_aside())
        if self._pull is None:
            self._pulling_since = loop.time()
            self._pull = loop.create_task(self._run(min(limit, _MOST)))

    async def _run(self, limit: int) -> None:
        try:
            got = await self._puller.pull(limit)
        except TransportUnavailable as error:
            if self._waiting:
                self._error = error
        else:
            self._admit(got)
        finally:
            self._pull = None
            self._changed.set()

    async def _look_aside(self) -> None:
        """What was put aside is not lost: it is handed out as the rest is, and the worker judges it."""
        try:
            self._admit(await self._dead.glance(_FEW))
        except TransportUnavailable as error:
            if self._waiting:
                self._error = error
        finally:
            self._glance = None
            self._changed.set()

    def _admit(self, got: list[Delivery]) -> None:
        free, stale = (got, []) if self._lanes is None else self._lanes.admit(got)
        self._ready.extend(free)
        self._return(stale)
        if self._paused or self._closed:
            self._give_back_all()
        else:
            self._keep_a_while()

    def _keep_a_while(self) -> None:
        if self._ready and not self._waiting:
            asyncio.get_running_loop().call_later(_KEPT, self._return_unwanted)

    def _return_unwanted(self) -> None:
        if self._ready and not self._waiting:
            self._give_back_all()

    def _give_back_all(self) -> None:
        """What was not received, in the order in which it came."""
        ready = [*self._ready]
        self._ready.clear()
        behind = [] if self._lanes is None else [d for head in ready for d in self._lanes.break_up(head)]
        rest = [] if self._lanes is None else self._lanes.clear()
        self._return([*ready, *behind, *rest])

    def _return(self, deliveries: Iterable[Delivery]) -> None:
        holds = [delivery.receipt for delivery in deliveries if self._claims(delivery)]
        if holds:
            self._spawn(_postpone(holds, 0.0))

    # --- settling --------------------------------------------------------------------------------------------------

    def _is_ours(self, delivery: Delivery) -> bool:
        hold = delivery.receipt
        return (
            isinstance(hold, Hold)
            and hold.era is self._era
            and self._era.open
            and not hold.settled
            and not hold.lost
        )

    def _claims(self, delivery: Delivery) -> bool:
        """Take the right to settle a delivery, which is there once."""
        if not self._is_ours(delivery):
            return False
        delivery.receipt.settled = True
        return True

    async def _acknowledge(
        self, items: Sequence[Settlement], places: Sequence[int], answers: list[Settled]
    ) -> None:
        deliveries = [items[place].delivery for place in places]
        told = await _acknowledge([delivery.receipt for delivery in deliveries])
        for place, delivery, answer in zip(places, deliveries, told, strict=True):
            answers[place] = answer
            if answer is Settled.UNKNOWN:
                delivery.receipt.settled = False
            if self._lanes is None or delivery.key is None:
                continue
            if answer is not Settled.DONE:
                self._return(self._lanes.break_up(delivery))
            elif (following := self._lanes.follower(delivery)) is not None:
                self._ready.append(following)
                self._changed.set()
        if self._paused or self._closed:
            self._give_back_all()
        else:
            self._keep_a_while()

    async def _release(
        self, items: Sequence[Settlement], places: Sequence[int], delay: float, answers: list[Settled]
    ) -> None:
        deliveries = [items[place].delivery for place in places]
        holds = [delivery.receipt for delivery in deliveries]
        behind = [] if self._lanes is None else [d for head in deliveries for d in self._lanes.break_up(head)]
        following = [delivery.receipt for delivery in behind if self._claims(delivery)]
        if delay > 0:
            told = await _postpone(holds, delay)
            if following:
                await _postpone(following, delay)
        else:
            told = (await _postpone([*holds, *following], 0.0))[: len(holds)]
        for place, hold, answer in zip(places, holds, told, strict=True):
            answers[place] = answer
            if answer is Settled.UNKNOWN:
                hold.settled = False

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)
        return task

    async def _quiesce(self, grace: float | None) -> None:
        if self._beside:
            await asyncio.wait(set(self._beside), timeout=grace)


async def _all(works: Sequence[Coroutine[Any, Any, None]]) -> None:
    for work in works:
        await work


async def _acknowledge(holds: Sequence[Hold]) -> list[Settled]:
    return await _by_settler(holds, lambda settler, some: settler.acknowledge(some))


async def _postpone(holds: Sequence[Hold], delay: float) -> list[Settled]:
    return await _by_settler(holds, lambda settler, some: settler.postpone(some, delay))


async def _by_settler(
    holds: Sequence[Hold], ask: Callable[[Settles, Sequence[Hold]], Awaitable[list[Settled]]]
) -> list[Settled]:
    """Ask each hold's own settler; nearly always it is one."""
    parts: dict[Settles, list[Hold]] = {}
    for hold in holds:
        parts.setdefault(hold.settler, []).append(hold)
    answers: dict[Hold, Settled] = {}
    for settler, some in parts.items():
        answers.update(zip(some, await ask(settler, some), strict=True))
    return [answers[hold] for hold in holds]
