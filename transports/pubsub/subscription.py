"""A consumer's hold on one queue: one pull that is never broken off, and what it brought."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from transports.pubsub.copying import Copying
from transports.pubsub.prefetched import Prefetched
from transports.pubsub.pulling import Puller
from transports.pubsub.receipt import Era
from transports.pubsub.settling import Settling
from worker.messaging.transport import Delivery, QueueSpec, Settled, Settlement

_KEPT = 0.05
"""Seconds that messages which came while no ``receive`` waited are kept for the next one, before they go back."""
_EMPTY = 0.5
"""Seconds: where a pull has been open for that long and brought nothing, the queue counts as empty."""
_MOST = 1000
"""Messages in one pull: the service's limit."""
_GLANCE, _FEW = 10.0, 8
"""Seconds between two looks at what was put aside, and how many of it are taken at a time."""


class PubsubSubscription:
    """Pulls when asked to. A pull that no ``receive`` waits for any more stays open; what it brings soon goes back.

    To break a pull off would hide messages that are on their way until their lease ends.

    Args:
        queue: as declared.
        puller: asks for messages.
        dead: asks for what the service has put aside, as it was handed out too often.
        era: this opening of the transport.
        copying: forgets the copies of what is done with.
        forget: called when it is closed, with its pull if one is open.
    """

    def __init__(
        self,
        queue: QueueSpec,
        puller: Puller,
        dead: Puller,
        era: Era,
        copying: Copying,
        forget: Callable[[PubsubSubscription, asyncio.Task[None] | None], None],
    ) -> None:
        self.queue = queue.name
        self.lease = puller.lease
        self._puller = puller
        self._dead = dead
        self._glance: asyncio.Task[None] | None = None
        self._glanced = -math.inf
        self._forget = forget
        self._prefetched = Prefetched(keyed=queue.keyed)
        self._settling = Settling(self._prefetched, era, copying, puller.lease, puller.until)
        self._changed = asyncio.Event()
        self._waiting = 0
        self._paused = False
        self._closed = False
        self._error: Exception | None = None
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
                    got, stale = self._prefetched.take(limit, loop.time())
                    self._return(stale)
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
        if self._prefetched or self._closed or self._paused:
            return not self._prefetched
        self._begin(_MOST)
        return asyncio.get_running_loop().time() - self._pulling_since >= _EMPTY

    async def settle(self, items: Sequence[Settlement]) -> Sequence[Settled]:
        """Settle, together with what else is settled meanwhile; never raises."""
        answers = [Settled.LOST] * len(items)
        work = self._settling.begin(items, answers)
        if work is not None:
            await asyncio.shield(self._spawn(self._settle(work)))
        return answers

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold them, and what waits behind them, for another lease; LOST where another consumer may have them by now."""
        return await self._settling.extend(deliveries)

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
        except Exception as error:
            # also an error of the library's: unless it is raised, the next pull would meet it again, in silence
            if self._waiting:
                self._error = error
        else:
            self._admit(got)
        finally:
            self._pull = None
            self._changed.set()

    async def _look_aside(self) -> None:
        """Take what the service has put aside: it is handed out like the rest, and the worker judges it."""
        try:
            self._admit(await self._dead.glance(_FEW))
        except Exception as error:
            if self._waiting:
                self._error = error
        finally:
            self._glance = None
            self._changed.set()

    def _admit(self, got: list[Delivery]) -> None:
        self._return(self._prefetched.add(got, asyncio.get_running_loop().time()))
        self._dispose()

    async def _settle(self, work: Coroutine[Any, Any, None]) -> None:
        """Settle; what waited behind may be handed out then."""
        await work
        if self._prefetched:
            self._changed.set()
        self._dispose()

    def _dispose(self) -> None:
        """Give back what has come where this is paused or closed; else keep it for a waiting ``receive``, or a moment."""
        if self._paused or self._closed:
            self._give_back_all()
        else:
            self._keep_a_while()

    def _keep_a_while(self) -> None:
        if self._prefetched and not self._waiting:
            asyncio.get_running_loop().call_later(_KEPT, self._return_unwanted)

    def _return_unwanted(self) -> None:
        if self._prefetched and not self._waiting:
            self._give_back_all()

    def _give_back_all(self) -> None:
        self._return(self._prefetched.all_back())

    def _return(self, deliveries: Iterable[Delivery]) -> None:
        if (returning := self._settling.give_back(deliveries)) is not None:
            self._spawn(returning)

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)
        return task

    async def _quiesce(self, grace: float | None) -> None:
        if self._beside:
            await asyncio.wait(set(self._beside), timeout=grace)
