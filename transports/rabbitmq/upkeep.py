"""Keeps a subscription consuming: begins a new generation whenever the broker or the network has ended the last one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from transports.rabbitmq.connection import Connection
from transports.rabbitmq.consumption import TIMEOUT, Consumption
from transports.rabbitmq.wire.faults import ChannelClosed, WireFault
from worker.errors import WorkerError

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_CALM = 10.0
"""Seconds of consuming after which a fault does not count as a repetition of the last one."""
_IDLE = 20.0
"""Seconds without a message after which a generation is replaced, even if the broker shows it as consuming."""
_MISSING = 404

log = structlog.stdlib.get_logger("worker.rabbitmq")


class Upkeep:
    """The present generation, or why there is none.

    Args:
        name: of the transport.
        queue: the application's name of it.
        connection: over which to consume.
        begin: opens a channel and consumes over it.
        create: creates the queue.
        changed: called after each beginning and each end.
    """

    def __init__(
        self,
        name: str,
        queue: str,
        connection: Connection,
        *,
        begin: Callable[[], Awaitable[Consumption]],
        create: Callable[[], Awaitable[None]],
        changed: Callable[[], None],
    ) -> None:
        self.current: Consumption | None = None
        self.reason = "not consuming yet"
        self._log = log.bind(transport=name, queue=queue)
        self._queue = queue
        self._connection = connection
        self._begin = begin
        self._create = create
        self._changed = changed
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin the first generation, and go on until stopped.

        Raises:
            TransportUnavailable: the broker does not answer, or refuses.
            ConfigurationError: the queue exists with other arguments.
        """
        self.current = await self._consume()
        self._running = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> Consumption | None:
        """Begin no more; returns the present generation."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        consumption, self.current = self.current, None
        return consumption

    async def replace(self, old: Consumption) -> None:
        """Replace the present generation by a new one; what it holds and was not received goes back, in order."""
        try:
            new = await self._consume()
        except WorkerError as error:
            self._log.warning("cannot renew the consumer", error=str(error))
            await old.channel.close(TIMEOUT)  # this ends the old one anyway, and a new one is begun later
            return
        self.current = new
        self._changed()
        await old.channel.close(TIMEOUT)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE
        while True:
            if self.current is not None:
                began = loop.time()
                consumption = await self._watched(self.current)
                self.reason = consumption.ended.result()
                self.current = None
                self._changed()
                self._log.warning("not consuming", error=self.reason)
                await consumption.channel.close(TIMEOUT)
                if loop.time() - began > _CALM:
                    pause = _FIRST_PAUSE
            await asyncio.sleep(pause * (0.5 + random.random()))
            pause = min(pause * 2, _LONGEST_PAUSE)
            try:
                await self._connection.wait(None)
                self.current = await self._consume()
            except WorkerError as error:
                if self.reason != str(error):
                    self._log.warning("cannot consume", error=str(error))
                self.reason = str(error)
            except Exception as error:  # a fault of this code: it must not end the tries to consume
                self._log.exception("cannot consume")
                self.reason = f"{type(error).__name__}: {error}"
            else:
                self._changed()
                self._log.info("consuming again")

    async def _watched(self, consumption: Consumption) -> Consumption:
        """Return the last generation once it has ended; until then replace one that brings nothing.

        Connected is not consuming: RabbitMQ 3.10 shows a consumer, and holds messages for it that never come,
        when a quorum queue was deleted and created again at once.
        """
        while True:
            came = consumption.came
            done, _ = await asyncio.wait([consumption.ended], timeout=_IDLE * (0.75 + random.random() / 2))
            if done and self.current is not None and self.current is not consumption:
                consumption = self.current  # it was replaced
            elif done:
                return consumption
            elif consumption.came == came and consumption.idle:
                consumption = await self._renewed(consumption)

    async def _renewed(self, old: Consumption) -> Consumption:
        """Replace an idle generation by a new one; its subscription goes on meanwhile."""
        try:
            new = await self._consume()
        except WorkerError as error:
            self._log.warning("cannot renew the consumer", error=str(error))
            return old
        if not old.idle:  # it has brought something after all, or has ended
            await new.channel.close(TIMEOUT)
            return old
        self.current = new
        self._changed()
        await old.channel.close(TIMEOUT)
        return new

    async def _consume(self) -> Consumption:
        """Begin a generation; a queue that is missing is created."""
        try:
            try:
                return await self._begin()
            except ChannelClosed as error:
                if error.code != _MISSING:
                    raise
            await self._create()
            return await self._begin()
        except WireFault as error:
            raise self._connection.unavailable(f"queue {self._queue!r}: {error}") from error
        except TimeoutError:
            raise self._connection.unavailable(
                f"queue {self._queue!r}: no answer within {TIMEOUT:g} s"
            ) from None
