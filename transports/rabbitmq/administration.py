"""A connection to set queues up and to look at them: aio-pika's, for everything that is not done for each message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

import aio_pika
import msgspec
from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.exceptions import AMQPError, ChannelNotFoundEntity, ChannelPreconditionFailed

from transports.rabbitmq.settings import Settings
from transports.rabbitmq.steps import Counted, Exchange, Queue, QueueBinding, Step
from worker.errors import TransportUnavailable
from worker.messaging.bounded import bounded, closed

if TYPE_CHECKING:
    from pamqp.common import FieldTable

ANSWER = 10.0
"""Seconds that the broker has for one step."""
LATE = 0.2
"""Seconds: an answer of zeros that took that long means nothing. RabbitMQ answers zeros where a quorum queue's leader does
not answer within 0.25 s."""
_ATTEMPT = 5.0
"""Seconds that one host may take."""
_CLOSING = 2.0
_LINGER = 2.0
"""Seconds for which the connection is kept after the last question: the next round often follows at once."""


class Missing(Exception):
    """A queue or exchange that was looked for is not there."""


class Differs(Exception):
    """A queue or exchange exists with other arguments; says which."""


class Administration:
    """Opens a connection when it has a question, and lets go of it soon after the last one; every wait is bounded.

    Each round of questions has a channel of its own: where the broker refuses something, it closes only that channel.

    Args:
        name: of the transport.
        settings: the hosts, and the user.
        unavailable: makes the error that names the broker.
    """

    def __init__(
        self, name: str, settings: Settings, unavailable: Callable[[object], TransportUnavailable]
    ) -> None:
        self._name = name
        self._settings = settings
        self._unavailable = unavailable
        self._connection: AbstractConnection | None = None
        self._opening = asyncio.Lock()
        self._asking = 0
        self._leaving: asyncio.TimerHandle | None = None
        self._dropping: set[asyncio.Task[None]] = set()

    async def perform(self, steps: Sequence[Step]) -> list[Counted]:
        """Take the steps in order; returns the counts of the queues among them.

        Raises:
            Missing: what was looked for is not there; the steps before it are done.
            Differs: a declared queue or exchange exists with other arguments.
            TransportUnavailable: the broker does not answer, or refuses.
        """
        self._asking += 1
        try:
            return await self._perform(steps)
        finally:
            self._asking -= 1
            self._leave_later()

    async def close(self) -> None:
        """Let go of the connection. Idempotent."""
        if self._leaving is not None:
            self._leaving.cancel()
        await asyncio.gather(*self._dropping)
        if self._connection is not None:
            await self._drop(self._connection)

    async def _perform(self, steps: Sequence[Step]) -> list[Counted]:
        connection = await self._open()
        counted: list[Counted] = []
        try:
            channel = await bounded(connection.channel(publisher_confirms=False), ANSWER)
            try:
                for step in steps:
                    found = await _take(channel, step)
                    if found is not None:
                        counted.append(found)
            finally:
                await closed(channel.close(), _CLOSING)
        except ChannelNotFoundEntity as error:
            raise Missing(_text(error)) from error
        except ChannelPreconditionFailed as error:
            raise Differs(_text(error)) from error
        except TimeoutError:
            await self._drop(connection)  # whatever the cause, this connection is of no use
            raise self._unavailable(f"no answer within {ANSWER:g} s") from None
        except (AMQPError, OSError, RuntimeError) as error:
            raise self._unavailable(_text(error)) from error
        return counted

    def _leave_later(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
        self._leaving = asyncio.get_running_loop().call_later(_LINGER, self._leave)

    def _leave(self) -> None:
        connection = self._connection
        if connection is not None and not self._asking:
            self._connection = None  # at once: the next question opens another
            task = asyncio.get_running_loop().create_task(self._drop(connection))
            self._dropping.add(task)
            task.add_done_callback(self._dropping.discard)

    async def _open(self) -> AbstractConnection:
        async with self._opening:
            if self._connection is None or self._connection.is_closed:
                self._connection = await self._connect()
            return self._connection

    async def _connect(self) -> AbstractConnection:
        """Try the hosts in order."""
        settings = self._settings
        reasons = []
        for host, port in settings.hosts:
            try:
                opening = aio_pika.connect(
                    host=host,
                    port=port,
                    login=settings.username,
                    password=settings.password,
                    virtualhost=settings.vhost,
                    ssl=settings.tls is not None,
                    ssl_context=settings.tls,
                    client_properties={"connection_name": f"command-worker {self._name} administration"},
                    heartbeat=settings.heartbeat,
                )
                return await bounded(opening, _ATTEMPT)
            except TimeoutError:
                reasons.append(f"{host}:{port} did not answer within {_ATTEMPT:g} s")
            except (AMQPError, OSError) as error:
                reasons.append(f"{host}:{port} (user {settings.username!r}): {_text(error)}")
        raise self._unavailable("; ".join(reasons))

    async def _drop(self, connection: AbstractConnection) -> None:
        if self._connection is connection:
            self._connection = None
        await closed(connection.close(), _CLOSING)


def _time() -> float:
    return asyncio.get_running_loop().time()


async def _take(channel: AbstractChannel, step: Step) -> Counted | None:
    if isinstance(step, Queue):
        arguments = None if step.arguments is None else cast("FieldTable", dict(step.arguments))
        began = _time()
        queue = await channel.declare_queue(
            step.name, durable=True, passive=arguments is None, arguments=arguments, timeout=ANSWER
        )
        told = queue.declaration_result
        found = Counted(told.message_count or 0, told.consumer_count or 0)
        late = _time() - began >= LATE
        return msgspec.structs.replace(found, doubtful=late and not (found.ready or found.consumers))
    if isinstance(step, Exchange):
        await channel.declare_exchange(
            step.name, aio_pika.ExchangeType.TOPIC, durable=True, passive=step.passive, timeout=ANSWER
        )
    elif isinstance(step, QueueBinding):
        bound = await channel.get_queue(step.queue, ensure=False)
        await bound.bind(step.exchange, step.pattern, timeout=ANSWER)
    else:
        passed = await channel.get_exchange(step.exchange, ensure=False)
        await passed.bind(step.source, step.pattern, timeout=ANSWER)
    return None


def _text(error: BaseException) -> str:
    """Return what the broker said; aiormq puts code and text into its errors' arguments."""
    return " ".join(str(part) for part in error.args) or type(error).__name__
