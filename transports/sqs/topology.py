"""Makes queues with their dead-letter queues, and checks those that are there; changes none of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from transports.sqs import names
from transports.sqs.connection import Connection
from transports.sqs.faults import Refused
from transports.sqs.queues import Queues
from transports.sqs.settings import Settings
from worker.errors import ConfigurationError
from worker.messaging.transport import QueueSpec

LONGEST_RETENTION = 1_209_600
"""Seconds that SQS keeps a message at most: where no worker runs for days, none must be lost."""

SHORTEST_RETENTION = 345_600
"""Seconds that an existing queue must keep a message, SQS's own default: what it drops is lost without a trace."""

RECEIVES = 1000
"""Receipts after which SQS puts a message aside: the most it takes, as give-backs and pauses count as receipts."""

FEWEST_RECEIVES = 50
"""Receipts that an existing queue must allow: below that, pauses and give-backs alone could use them up."""


class Topology:
    """Queues as they should be.

    Args:
        name: of the transport.
    """

    def __init__(self, name: str, connection: Connection, settings: Settings, queues: Queues) -> None:
        self._name = name
        self._connection = connection
        self._settings = settings
        self._queues = queues

    async def setup(self, specs: Sequence[QueueSpec]) -> None:
        """Create what is missing, dead-letter queue first, and check the rest.

        Raises:
            ConfigurationError: an existing queue is not as it must be; names each fault and its repair.
            TransportUnavailable: the service does not answer, or refuses.
        """
        faults: list[str] = []
        for spec in specs:
            name = self._queues.declare(spec)
            url = await self._queues.url(name)
            if url is None:
                await self._create(name)
            else:
                faults += await self._faults(name, url)
            self._queues.forget(spec.name)
        if faults:
            raise ConfigurationError(faults)

    async def missing(self, specs: Sequence[QueueSpec]) -> Sequence[str]:
        """Names of queues that are not there.

        Raises:
            TransportUnavailable: the service does not answer, or refuses.
        """
        return [spec.name for spec in specs if await self._queues.url(self._queues.declare(spec)) is None]

    async def _create(self, name: str) -> None:
        fifo = name.endswith(names.FIFO)
        kind = {"FifoQueue": "true"} if fifo else {}
        failed = names.dead(name)
        kept = str(LONGEST_RETENTION)
        dead = await self._queues.url(failed) or await self._make(
            failed, {**kind, "MessageRetentionPeriod": kept}
        )
        arn = (await self._attributes(dead, "QueueArn"))["QueueArn"]
        attributes = {
            **kind,
            "MessageRetentionPeriod": kept,
            "VisibilityTimeout": str(int(self._settings.lease)),
            "ReceiveMessageWaitTimeSeconds": str(self._settings.wait),
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": RECEIVES}),
        }
        if fifo:  # each key has a rate of its own
            attributes |= {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
        await self._make(name, attributes)

    async def _make(self, name: str, attributes: Mapping[str, str]) -> str:
        try:
            answer = await self._connection.ask("CreateQueue", QueueName=name, Attributes=dict(attributes))
        except Refused as refused:
            # another process was faster
            if refused.code in {"QueueNameExists", "QueueAlreadyExists"} and (
                url := await self._queues.url(name)
            ):
                return url
            raise self._connection.unavailable(f"queue {name!r} was not made: {refused}") from refused
        return str(answer["QueueUrl"])

    async def _attributes(self, url: str, *wanted: str) -> Mapping[str, Any]:
        try:
            answer = await self._connection.ask(
                "GetQueueAttributes", QueueUrl=url, AttributeNames=list(wanted)
            )
        except Refused as refused:
            raise self._connection.unavailable(refused) from refused
        found: Mapping[str, Any] = answer.get("Attributes", {})
        return found

    async def _faults(self, name: str, url: str) -> list[str]:
        found = await self._attributes(url, "All")
        faults = []
        where = f"transports.{self._name}: queue {name!r}"
        policy = json.loads(found.get("RedrivePolicy") or "{}")
        receives = int(policy.get("maxReceiveCount", RECEIVES))
        if receives < FEWEST_RECEIVES:
            faults.append(
                f"{where} has maxReceiveCount = {receives}: expected at least {FEWEST_RECEIVES}, better {RECEIVES}, as "
                f"give-backs and pauses count as receipts (aws sqs set-queue-attributes, RedrivePolicy)"
            )
        kept = int(found.get("MessageRetentionPeriod", LONGEST_RETENTION))
        if kept < SHORTEST_RETENTION:
            faults.append(
                f"{where} has MessageRetentionPeriod = {kept}: expected at least {SHORTEST_RETENTION}, better "
                f"{LONGEST_RETENTION}, as what is older is dropped"
            )
        if int(found.get("DelaySeconds", 0)):
            faults.append(
                f"{where} has DelaySeconds = {found['DelaySeconds']}: expected 0, each message has its own"
            )
        return faults
