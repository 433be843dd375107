"""Queues at the broker: what stands behind each of the application's, declared and looked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from pamqp import base, commands

from transports.rabbitmq import delays, names
from transports.rabbitmq.connection import Connection
from transports.rabbitmq.features import PRIORITIES
from transports.rabbitmq.settings import Settings
from transports.rabbitmq.wire.faults import ChannelClosed, LinkLost
from worker.errors import ConfigurationError
from worker.messaging.transport import QueueSpec

TIMEOUT = 10.0
"""Seconds for a round of declarations."""
_MISSING, _DIFFERS = 404, 406
_UNLIMITED = 1_000_000_000
"""Deliveries: what was put aside once is not put aside again; RabbitMQ 4 would drop it after twenty."""


class Topology:
    """Declares over short-lived channels of one connection: what the broker refuses closes only those.

    Args:
        name: of the transport.
        connection: over which to ask.
        settings: which kind of queues.
    """

    def __init__(self, name: str, connection: Connection, settings: Settings) -> None:
        self._name = name
        self._connection = connection
        self._settings = settings
        self._ladder = False

    async def create(self, specs: Sequence[QueueSpec]) -> None:
        """Create what is missing, several processes at once if need be.

        Raises:
            TransportUnavailable: the broker does not answer, or refuses.
            ConfigurationError: a queue exists with other arguments; names both, and what to do.
        """
        await self.prepare_delays()
        requests: list[base.Frame] = []
        for spec in specs:
            requests.extend(self._declarations(spec))
            requests.append(delays.binding(self._settings.queue_type, spec.name))
        await self._ask(requests)

    async def prepare_delays(self) -> None:
        """Create the ladder of delays, once a process; raises as ``create`` does."""
        if self._ladder:
            return
        kind = self._settings.queue_type
        if await self._absent([delays.marker(kind)]):
            await self._ask(delays.ladder(kind))
        self._ladder = True

    async def missing(self, specs: Sequence[QueueSpec]) -> Sequence[str]:
        """Names of specs of which some queue is not there.

        Raises:
            TransportUnavailable: the broker does not answer.
        """
        looks = {spec.name: [passive(queue) for queue in self.queues(spec)] for spec in specs}
        if not await self._absent([look for each in looks.values() for look in each]):
            return []
        return [name for name, each in looks.items() if await self._absent(each)]

    def queues(self, spec: QueueSpec) -> Sequence[str]:
        """Names of the broker's queues behind one of the application's."""
        found = [spec.name]
        if spec.keyed:
            found.append(names.keys(spec.name))
        if self._settings.queue_type == "quorum":
            found.append(names.dead(spec.name))
        return found

    async def counted(self, queue: str) -> commands.Queue.DeclareOk | None:
        """Ask for a queue's ready messages and consumers; None where there is no such queue.

        Raises:
            TransportUnavailable: the broker does not answer.
        """
        try:
            (answer,) = await self._call([passive(queue)])
        except ChannelClosed as error:
            if error.code == _MISSING:
                return None
            raise self._connection.unavailable(error) from error
        return cast(commands.Queue.DeclareOk, answer)

    async def prove(self) -> None:
        """Let the broker answer something.

        Raises:
            TransportUnavailable: it does not.
        """
        await self._ask([commands.Exchange.Declare(0, "amq.direct", "direct", passive=True)])

    def _declarations(self, spec: QueueSpec) -> Sequence[base.Frame]:
        """The put-aside queue first: a message must never be dead-lettered to nowhere."""
        declared: list[base.Frame] = []
        common: dict[str, object] = {"x-queue-type": self._settings.queue_type}
        if self._settings.queue_type == "quorum":
            declared.append(_declare(names.dead(spec.name), common | {"x-delivery-limit": _UNLIMITED}))
            common |= {
                "x-delivery-limit": self._settings.delivery_limit,
                "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": names.dead(spec.name),
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",  # at-least-once asks for it
            }
        else:
            common |= {"x-max-priority": PRIORITIES}
        declared.append(_declare(spec.name, common))
        if spec.keyed:
            declared.append(_declare(names.keys(spec.name), common | {"x-single-active-consumer": True}))
        return declared

    async def _absent(self, looks: Sequence[base.Frame]) -> bool:
        """Whether one of them at least is not there."""
        try:
            await self._call(looks)
        except ChannelClosed as error:
            if error.code == _MISSING:
                return True
            raise self._connection.unavailable(error) from error
        return False

    async def _ask(self, requests: Sequence[base.Frame]) -> None:
        try:
            await self._call(requests)
        except ChannelClosed as error:
            if error.code == _DIFFERS:
                raise ConfigurationError(self._differs(error)) from error
            raise self._connection.unavailable(error) from error

    async def _call(self, requests: Sequence[base.Frame]) -> Sequence[base.Frame]:
        if not requests:
            return []
        try:
            channel = await self._connection.link.channel(TIMEOUT)
            try:
                return await channel.call_all(requests, TIMEOUT)
            finally:
                await channel.close(TIMEOUT)
        except LinkLost as error:
            raise self._connection.unavailable(error) from error
        except TimeoutError:
            raise self._connection.unavailable(f"no answer within {TIMEOUT:g} s") from None

    def _differs(self, error: ChannelClosed) -> str:
        return (
            f"transports.{self._name}: {error}. The queue exists with other arguments, which RabbitMQ cannot change: "
            f"set transports.{self._name}.queue_type and delivery_limit to what it has, use another queue name, "
            "or empty and delete the queue (rabbitmqctl delete_queue NAME) and run: worker setup"
        )


def passive(queue: str) -> commands.Queue.Declare:
    """Ask for a queue without creating it."""
    return commands.Queue.Declare(0, queue, passive=True)


def _declare(queue: str, arguments: dict[str, Any]) -> commands.Queue.Declare:
    return commands.Queue.Declare(0, queue, durable=True, arguments=arguments)
