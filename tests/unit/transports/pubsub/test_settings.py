"""Settings and names of a Pub/Sub transport."""

import pytest

from transports import dsn
from transports.pubsub import names, settings
from worker.errors import ConfigurationError


@pytest.fixture(autouse=True)
def nowhere(monkeypatch):
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)


def read(url="pubsub://my-project", **options):
    return settings.read("jobs", dsn.parse(url), options)


def test_the_project_is_all_that_is_needed():
    found = read()
    assert (found.project, found.lease, found.exactly_once, found.emulator_host) == (
        "my-project",
        60,
        False,
        "",
    )


def test_the_emulator_of_the_environment_counts_where_none_is_configured(monkeypatch):
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "localhost:8085")
    assert read().emulator_host == "localhost:8085"
    assert read(emulator_host="elsewhere:1").emulator_host == "elsewhere:1"


def test_all_faults_are_told_at_once():
    with pytest.raises(ConfigurationError) as caught:
        read(
            "pubsub://user@project/x", lease=601, prefix="9", max_bytes=10_000_001, retention=60, colour="red"
        )
    text = str(caught.value)
    assert all(key in text for key in ("url", "lease", "prefix", "max_bytes", "retention", "colour"))


@pytest.mark.parametrize("name", ["no", "9lives", "googol", "a" * 251, "with space", ""])
def test_a_name_that_pubsub_does_not_take_is_told(name):
    assert name[:10] in (names.fault(name) or "")


def test_names_carry_the_prefix():
    there = names.Names("p", "staging")
    assert there.topic("orders") == "projects/p/topics/staging.orders"
    assert there.subscription(names.dead("orders")) == "projects/p/subscriptions/staging.orders.dead"


def test_a_lease_that_is_over_before_an_acknowledgement_is_confirmed_is_refused():
    with pytest.raises(ConfigurationError, match=r"lease = 59.*60 seconds with exactly_once"):
        read(exactly_once=True, lease=59)
    assert read(exactly_once=True, lease=60).lease == 60
