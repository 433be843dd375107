"""Three Kafka servers, each message on two of them before it is confirmed: one is killed while keyed commands flow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.brokers.kafka_cluster import KafkaCluster
from tests.deep import size
from tests.e2e.project import Project
from tests.faults.keyed import Keyed

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.broker,
    pytest.mark.fault,
    pytest.mark.slow,
    pytest.mark.timeout(size(900, 3600)),
]

KILLED = size(1, 3)
"""Servers that are killed, one after the other."""
OPTIONS = "partitions = 6\nreplication = 3"


@pytest.fixture(scope="module")
def cluster(private_broker: Callable[..., Any]) -> KafkaCluster:
    """Servers that only these tests break."""
    own: KafkaCluster = private_broker("kafka", servers=3)
    return own


async def in_sync(cluster: KafkaCluster, topic: str) -> str:
    """How many copies must have a message before it is confirmed."""
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.servers[0].url.removeprefix("kafka://"))
    await admin.start()
    try:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    finally:
        await admin.close()
    values = {entry[0]: entry[1] for resource in answer.resources for entry in resource[4]}
    return str(values["min.insync.replicas"])


def test_a_server_of_three_is_killed(cluster: KafkaCluster, tmp_path: Any) -> None:
    """One after another with -9: commands are taken and handled on the two that are left, and nothing is lost."""
    project = Project(tmp_path)
    try:
        with cluster.fresh() as url, Keyed(project, url, options=OPTIONS) as running:
            prefix = url.rpartition("/")[2]
            assert asyncio.run(in_sync(cluster, f"{prefix}.flow-take")) == "2"
            for number, server in enumerate(cluster.servers[:KILLED], 1):
                running.until_share(0.25 * number)
                server.kill()
                running.until_back()
                server.start()
            running.finish()
    finally:
        project.close()
