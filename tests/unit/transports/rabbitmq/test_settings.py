"""Settings of the transport: every fault at once, no secret in any of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from transports import dsn, registry
from transports.rabbitmq import settings
from worker.errors import ConfigurationError


def read(url: str, **options):
    return settings.read("rabbitmq", dsn.parse(url), options, Path("/nowhere"))


@pytest.mark.parametrize(
    ("url", "hosts", "vhost"),
    [
        ("amqp://localhost", (("localhost", 5672),), "/"),
        ("amqp://guest:guest@localhost:5673/", (("localhost", 5673),), "/"),
        ("amqps://u:p@a,b:1/shop", (("a", 5671), ("b", 1)), "shop"),
        ("amqp://[::1]:5672/%2F", (("::1", 5672),), "/"),
        ("amqp://[::1]/a%2Fb", (("::1", 5672),), "a/b"),
    ],
)
def test_addresses(url, hosts, vhost) -> None:
    """Several hosts, IPv6 and virtual hosts with a slash; the ports of the scheme by default."""
    found = read(url)
    assert (found.hosts, found.vhost) == (hosts, vhost)
    assert (found.tls is not None) == url.startswith("amqps")


def test_every_fault_is_named_at_once_and_no_secret() -> None:
    """Wrong options, a wrong port and parameters in the address are all in one error."""
    with pytest.raises(ConfigurationError) as caught:
        read(
            "amqp://me:hunter2@host:x/?frame=1",
            queue_type="stream",
            delivery_limit=3,
            publish_timeout=0,
            heartbeat=0.5,
            ca_file="ca.pem",
            management_url="ftp://me:hunter2@host",
            color="red",
        )
    text = str(caught.value)
    for key in (
        "url",
        "queue_type",
        "delivery_limit",
        "publish_timeout",
        "heartbeat",
        "ca_file",
        "management_url",
        "color",
    ):
        assert f"transports.rabbitmq.{key}" in text
    assert "hunter2" not in text


def test_certificates_that_cannot_be_read_are_told() -> None:
    """A missing authority, a missing certificate, and a key without one."""
    for options in ({"ca_file": "no.pem"}, {"cert_file": "no.pem"}, {"key_file": "no.pem"}):
        with pytest.raises(ConfigurationError, match=next(iter(options))):
            read("amqps://localhost", **options)


def test_the_registry_knows_both_schemes() -> None:
    """``amqp`` and ``amqps`` make this transport; nothing is opened."""
    for scheme in ("amqp", "amqps"):
        made = registry.create("rabbitmq", f"{scheme}://localhost", {}, base=Path())
        assert made.features.ordering == "key"
    classic = registry.create("rabbitmq", "amqp://localhost", {"queue_type": "classic"}, base=Path())
    assert (made.features.priorities, classic.features.priorities) == (1, 10)


@pytest.mark.parametrize(("lease", "heartbeat"), [(3, 1), (6, 2), (60, 20), (10.9, 3), (10**9, 65_535)])
def test_the_heartbeat_follows_from_the_lease(lease, heartbeat) -> None:
    """RabbitMQ has given a silent client up after three heartbeats: within the lease."""
    assert read("amqp://localhost", lease=lease).heartbeat == heartbeat


def test_a_heartbeat_of_its_own_wins_over_the_lease() -> None:
    """The finer key stays; without either the heartbeat is as it was."""
    assert read("amqp://localhost", lease=60, heartbeat=5).heartbeat == 5
    assert read("amqp://localhost").heartbeat == 10


def test_a_lease_below_what_heartbeats_can_hold_is_refused() -> None:
    """The shortest heartbeat is a second, so the shortest lease three."""
    with pytest.raises(ConfigurationError, match=r"transports\.rabbitmq\.lease = 2: expected .* at least 3"):
        read("amqp://localhost", lease=2)
