"""The Terraform example for Pub/Sub makes what ``worker setup`` wants to find."""

import json
from pathlib import Path

import pytest

from transports.pubsub.copying import Copying
from transports.pubsub.names import Names, dead
from transports.pubsub.settings import Settings
from transports.pubsub.topology import ATTEMPTS, Topology
from worker.messaging.transport import QueueSpec

FILE = Path(__file__).resolve().parents[2] / "deploy/terraform/pubsub/main.tf.json"


@pytest.fixture
def resources():
    return json.loads(FILE.read_text())["resource"]


@pytest.fixture
def wanted():
    class Connection:
        settings = Settings(project="p", shown="pubsub://p")

    return Topology("jobs", Connection(), Names("p"), {}, Copying("jobs"))._wanted(
        QueueSpec(name="orders", types=("T",), keyed=True)
    )


def test_a_subscription_is_as_setup_wants_it(resources, wanted):
    made = resources["google_pubsub_subscription"]["queue"]
    assert made["dead_letter_policy"]["max_delivery_attempts"] == ATTEMPTS
    assert (
        made["dead_letter_policy"]["max_delivery_attempts"] == wanted.dead_letter_policy.max_delivery_attempts
    )
    assert made["message_retention_duration"] == f"{wanted.message_retention_duration.seconds}s"
    assert made["expiration_policy"] == {"ttl": ""}  # never
    assert made["enable_message_ordering"] == "${each.value}"


def test_every_topic_has_its_subscription_and_the_names_are_those_of_the_transport(resources):
    topics, subscriptions = resources["google_pubsub_topic"], resources["google_pubsub_subscription"]
    assert {key: each["name"] for key, each in topics.items()} == {
        "queue": "${each.key}",
        "dead": dead("${each.key}"),
    }
    assert {key: each["name"] for key, each in subscriptions.items()} == {
        key: each["name"] for key, each in topics.items()
    }


def test_nobody_gets_more_rights_than_it_needs(resources):
    roles = {
        each["role"]
        for kind in resources
        if kind.endswith("_iam_member")
        for each in resources[kind].values()
    }
    assert roles == {
        "roles/pubsub.publisher",
        "roles/pubsub.subscriber",
        "roles/pubsub.viewer",
        "roles/monitoring.viewer",
    }
    counting = [
        each for each in resources["google_project_iam_member"].values() if "monitoring" in each["role"]
    ]
    assert all("var.monitoring" in each["count"] for each in counting)
    across = resources["google_project_iam_member"].values()
    assert {each["role"] for each in across} == {"roles/pubsub.viewer", "roles/monitoring.viewer"}
