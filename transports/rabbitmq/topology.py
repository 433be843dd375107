"""The broker's queues behind each queue of the application: declared, and looked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from transports.rabbitmq import delays, names
from transports.rabbitmq.administration import Administration, Differs, Missing
from transports.rabbitmq.features import PRIORITIES
from transports.rabbitmq.settings import Settings
from transports.rabbitmq.steps import Counted, Queue, Step
from worker.errors import ConfigurationError
from worker.messaging.transport import QueueSpec

_UNLIMITED = 1_000_000_000
"""Delivery limit of the put-aside queue, from where nothing is put aside again; RabbitMQ 4 would drop it after twenty."""


class Topology:
    """Knows what stands behind a queue, and asks for it.

    Args:
        name: of the transport.
        administration: the connection to ask over.
        settings: which kind of queues.
    """

    def __init__(self, name: str, administration: Administration, settings: Settings) -> None:
        self._name = name
        self._administration = administration
        self._settings = settings
        self._ladder = False

    async def create(self, specs: Sequence[QueueSpec]) -> None:
        """Create what is missing; several processes may do so at once.

        Raises:
            TransportUnavailable: the broker does not answer, or refuses.
            ConfigurationError: a queue exists with other arguments; names both, and what to do.
        """
        await self.prepare_delays()
        steps: list[Step] = []
        for spec in specs:
            steps.extend(self._declarations(spec))
            steps.append(delays.binding(self._settings.queue_type, spec.name))
            if spec.keyed:
                steps.append(delays.binding(self._settings.queue_type, names.keys(spec.name)))
        await self._declare(steps)

    async def prepare_delays(self) -> None:
        """Create the ladder of delays, once a process; raises as ``create`` does."""
        if self._ladder:
            return
        kind = self._settings.queue_type
        if await self._absent([delays.marker(kind)]):
            await self._declare(delays.ladder(kind))
        self._ladder = True

    async def missing(self, specs: Sequence[QueueSpec]) -> Sequence[str]:
        """Names of queues of the application of which some queue at the broker is not there.

        Raises:
            TransportUnavailable: the broker does not answer.
        """
        looks = {spec.name: [Queue(queue) for queue in self.queues(spec)] for spec in specs}
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

    async def counted(self, queues: Sequence[str]) -> Mapping[str, Counted]:
        """Ask for ready messages and consumers of the broker's queues, by name; those that are missing are left out.

        Raises:
            TransportUnavailable: the broker does not answer.
        """
        try:
            answers = await self._administration.perform([Queue(name) for name in queues])
        except Missing:  # it ended the round: ask for each queue in a round of its own
            if len(queues) == 1:
                return {}
            found: dict[str, Counted] = {}
            for name in queues:
                found.update(await self.counted([name]))
            return found
        return dict(zip(queues, answers, strict=True))

    def _declarations(self, spec: QueueSpec) -> Sequence[Step]:
        """Return what to declare, the put-aside queue first: a message must never be dead-lettered to nowhere."""
        declared: list[Step] = []
        common: dict[str, str | int | bool] = {"x-queue-type": self._settings.queue_type}
        if self._settings.queue_type == "quorum":
            declared.append(Queue(names.dead(spec.name), common | {"x-delivery-limit": _UNLIMITED}))
            common |= {
                "x-delivery-limit": self._settings.delivery_limit,
                "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": names.dead(spec.name),
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",  # at-least-once asks for it
            }
        else:
            common |= {"x-max-priority": PRIORITIES}
        declared.append(Queue(spec.name, common))
        if spec.keyed:
            declared.append(Queue(names.keys(spec.name), common | {"x-single-active-consumer": True}))
        return declared

    async def _absent(self, looks: Sequence[Step]) -> bool:
        """Whether at least one of them is not there."""
        try:
            await self._administration.perform(looks)
        except Missing:
            return True
        return False

    async def _declare(self, steps: Sequence[Step]) -> None:
        try:
            await self._administration.perform(steps)
        except Differs as error:
            raise ConfigurationError(self._differs(error)) from error

    def _differs(self, error: Differs) -> str:
        return (
            f"transports.{self._name}: {error}. The queue exists with other arguments, which RabbitMQ cannot change: "
            f"set transports.{self._name}.queue_type and delivery_limit to what it has, use another queue name, "
            "or empty and delete the queue (rabbitmqctl delete_queue NAME) and run: worker setup"
        )
