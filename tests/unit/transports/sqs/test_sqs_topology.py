"""Queues that are there are looked at, never changed; what is missing is made with its dead-letter queue."""

from __future__ import annotations

import json
from typing import Any

import pytest

from transports.sqs.faults import Refused
from transports.sqs.queues import Queues
from transports.sqs.settings import Settings
from transports.sqs.topology import LONGEST_RETENTION, RECEIVES, Topology
from worker.errors import ConfigurationError
from worker.messaging.transport import QueueSpec

SETTINGS = Settings(region="r", shown="sqs://r")
KEYED, PLAIN = (
    QueueSpec(name="keyed", types=("K",), keyed=True),
    QueueSpec(name="plain", types=("P",)),
)


class Service:
    """Keeps attributes by a queue's name."""

    def __init__(self, **queues: dict[str, Any]) -> None:
        self.queues: dict[str, dict[str, Any]] = queues
        self.asked: list[str] = []

    async def ask(self, action: str, **given: Any) -> Any:
        self.asked.append(action)
        if action == "GetQueueUrl":
            if given["QueueName"] not in self.queues:
                raise Refused("QueueDoesNotExist", "")
            return {"QueueUrl": given["QueueName"]}
        if action == "CreateQueue":
            self.queues[given["QueueName"]] = given["Attributes"]
            return {"QueueUrl": given["QueueName"]}
        assert action == "GetQueueAttributes"
        return {"Attributes": {"QueueArn": f"arn:{given['QueueUrl']}", **self.queues[given["QueueUrl"]]}}


def topology(service: Service) -> Topology:
    connection: Any = service
    return Topology("sqs", connection, SETTINGS, Queues(connection, SETTINGS))


async def test_a_missing_queue_is_made_after_its_dead_letter_queue_and_both_keep_for_long() -> None:
    service = Service()
    await topology(service).setup([KEYED, PLAIN])
    assert list(service.queues) == ["keyed-failed.fifo", "keyed.fifo", "plain-failed", "plain"]
    assert {made["MessageRetentionPeriod"] for made in service.queues.values()} == {str(LONGEST_RETENTION)}
    policy = json.loads(service.queues["keyed.fifo"]["RedrivePolicy"])
    assert policy == {"deadLetterTargetArn": "arn:keyed-failed.fifo", "maxReceiveCount": RECEIVES}
    fifo = service.queues["keyed.fifo"]
    assert fifo["FifoQueue"] == "true"
    assert (fifo["DeduplicationScope"], fifo["FifoThroughputLimit"]) == ("messageGroup", "perMessageGroupId")


async def test_a_queue_that_is_not_as_it_must_be_is_told_with_its_repair_and_not_changed() -> None:
    """All faults of all queues at once."""
    wrong = {
        "RedrivePolicy": json.dumps({"maxReceiveCount": 3}),
        "DelaySeconds": "5",
        "MessageRetentionPeriod": "60",
    }
    service = Service(plain=wrong, **{"keyed.fifo": {"DelaySeconds": "1"}})
    with pytest.raises(ConfigurationError) as raised:
        await topology(service).setup([KEYED, PLAIN])
    told = str(raised.value)
    for text in (
        "'plain' has maxReceiveCount = 3",
        "'plain' has DelaySeconds = 5",
        "MessageRetentionPeriod = 60",
    ):
        assert text in told
    assert "'keyed.fifo' has DelaySeconds = 1" in told
    assert set(service.asked) == {"GetQueueUrl", "GetQueueAttributes"}


async def test_a_queue_as_the_service_makes_it_is_taken() -> None:
    service = Service(plain={"MessageRetentionPeriod": "345600", "DelaySeconds": "0"})
    await topology(service).setup([PLAIN])
    assert list(service.queues) == ["plain"]
