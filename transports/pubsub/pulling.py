"""One pull: open until something comes, and watched, so that a dead line is noticed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable

from transports.pubsub import wire
from transports.pubsub.arrivals import read
from transports.pubsub.connection import Connection
from transports.pubsub.faults import Failed
from transports.pubsub.receipt import Acknowledges, Era
from worker.messaging.transport import Delivery

LONGEST = 90.0
"""Seconds that a pull stays open. It is ended as rarely as may be: what is on its way then comes only a lease later."""
QUIET = 10.0
"""Seconds without an answer after which a call over the same line proves whether it still works."""
_PROBE = 3.0
_ALIVE = {"PERMISSION_DENIED", "RESOURCE_EXHAUSTED"}
"""Refusals that prove that the line works: the account may only pull, or the project's quota of such calls is used up."""
_SOON = 0.5
"""Seconds: a pull that ends within them and brings nothing has not waited."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_TICK = 1.0
_BETWEEN = 5.0
"""Seconds between two repairs: where a subscription that was just made is gone again, the error is raised."""
_MARGIN = 0.05
"""Share of a lease by which it counts as over earlier than the service ends it."""


class Puller:
    """Pulls from one subscription.

    Args:
        connection: to the service.
        queue: the application's name of it.
        subscription: full name.
        acknowledger: of that subscription.
        era: this opening of the transport.
        lease: seconds that the service holds what it handed out.
        repair: makes the subscription again where this process may; tells whether it is there then.
    """

    def __init__(
        self,
        connection: Connection,
        queue: str,
        subscription: str,
        acknowledger: Acknowledges,
        era: Era,
        lease: float,
        repair: Callable[[], Awaitable[bool]],
    ) -> None:
        self._repair = repair
        self._connection = connection
        self._acknowledger = acknowledger
        self._queue = queue
        self._subscription = subscription
        self._era = era
        self.lease = lease
        self._mended = -math.inf
        self._pause = 0.0
        self._tick = min(_TICK, self.lease / 10)

    def until(self, since: float) -> float:
        """Return until when a lease that began at ``since`` surely holds, seconds of the loop."""
        return since + self.lease * (1 - _MARGIN)

    async def pull(self, limit: int) -> list[Delivery]:
        """Wait for messages, at most ``limit``; none where none came for long, or the subscription had to be made again.

        Raises:
            TransportUnavailable: the service does not answer, refuses, or the line is dead.
        """
        request = wire.Pull(subscription=self._subscription, max_messages=limit)
        begun = asyncio.get_running_loop().time()
        call = asyncio.ensure_future(self._connection.pull(wire.PULL, request, LONGEST))
        try:
            seen = await self._watched(call)
            received = call.result().received_messages
        except Failed as error:
            if call.done() and error.code == "DEADLINE_EXCEEDED":  # else it was the probe that got no answer
                return []
            await self._mend(error)
            return []
        finally:
            call.cancel()
        await self._slow_down(empty=not received, since=begun)
        return read(self._queue, received, self._acknowledger, self._era, self.until(seen))

    async def _slow_down(self, *, empty: bool, since: float) -> None:
        """Pause before the next pull where pulls bring nothing without waiting; longer for each in a row."""
        if not empty or asyncio.get_running_loop().time() - since >= _SOON:
            self._pause = 0.0
            return
        await asyncio.sleep(self._pause)
        self._pause = min(max(2 * self._pause, _FIRST_PAUSE), _LONGEST_PAUSE)

    async def glance(self, limit: int) -> list[Delivery]:
        """Take what is there, at most ``limit``; wait for nothing.

        Raises:
            TransportUnavailable: the service does not answer, or refuses.
        """
        request = wire.Pull(subscription=self._subscription, max_messages=limit, return_immediately=True)
        since = asyncio.get_running_loop().time()
        try:
            answer = await self._connection.pull(wire.PULL, request, self._connection.settings.timeout)
        except Failed as error:
            await self._mend(error)
            return []
        received = answer.received_messages
        return read(self._queue, received, self._acknowledger, self._era, self.until(since))

    async def _mend(self, error: Failed) -> None:
        """Return where the subscription was gone and is there again; else raise the error."""
        now = asyncio.get_running_loop().time()
        if error.code != "NOT_FOUND" or now - self._mended < _BETWEEN or not await self._repair():
            raise error
        self._mended = now

    async def _watched(self, call: asyncio.Future[object]) -> float:
        """Wait for the answer; return the last time at which it was not there yet, so that its lease began later."""
        loop = asyncio.get_running_loop()
        asked = loop.time()
        while True:
            seen = loop.time()
            done, _ = await asyncio.wait({call}, timeout=self._tick)
            if done:
                return seen
            if loop.time() - asked >= QUIET:
                await self._probe()
                asked = loop.time()

    async def _probe(self) -> None:
        request = wire.GetSubscription(subscription=self._subscription)
        try:
            await self._connection.pull(wire.GET_SUBSCRIPTION, request, _PROBE)
        except Failed as error:
            if error.code in _ALIVE:
                return
            if error.passes:
                self._connection.renew_pulls()
            raise
