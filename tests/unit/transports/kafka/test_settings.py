"""The table of a Kafka transport is read whole, and every fault of it told."""

from pathlib import Path

import pytest

from transports import registry
from transports.dsn import parse
from transports.kafka import settings
from worker.errors import ConfigurationError


def read(url, **options):
    return settings.read("k", parse(url), options, Path("/etc/shop"))


def faults(url, **options):
    with pytest.raises(ConfigurationError) as caught:
        read(url, **options)
    return "\n".join(caught.value.faults)


def test_brokers_prefix_and_defaults():
    """Ports are 9092 where they are left out; the path is the prefix."""
    found = read("kafka://one,two:9093,[::1]/staging")
    assert found.servers == ("one:9092", "two:9093", "[::1]:9092")
    assert found.prefix == "staging"
    assert (found.partitions, found.replication, found.retention) == (12, 1, 604_800)


def test_every_fault_is_told_at_once():
    """Unknown keys, wrong values, and what does not go together."""
    text = faults("kafka://a", partitions=0, acks=1, ca_file="x", key_file="y", sasl="magic", tls="yes")
    for piece in ("partitions = 0", "acks", "ca_file", "key_file", "sasl = 'magic'", "tls = 'yes'"):
        assert piece in text


def test_an_address_that_is_none():
    """No broker, parameters, or a prefix that topics cannot have."""
    assert "kafka://host:9092" in faults("kafka:///x")
    assert "kafka://host:9092" in faults("kafka://a?b=c")
    assert "prefix" in faults("kafka://a/b c")


def test_secrets_are_in_no_message():
    """A password is neither in faults nor in what is printed of the settings."""
    assert "geheim" not in faults("kafka://me:geheim@a", sasl="none")
    found = read("kafka://me:geheim@a")
    assert "geheim" not in repr(found)
    assert "geheim" not in found.shown


def test_sasl_goes_with_what_it_needs():
    """Mechanisms with a user need one, OAUTHBEARER needs a function, and nothing else takes either."""
    assert read("kafka://me:pw@a").security.sasl == "plain"
    assert read("kafka://me:pw@a", sasl="scram-sha-512").security.arguments() == {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "me",
        "sasl_plain_password": "pw",
    }
    assert "user and password" in faults("kafka://a", sasl="plain")
    assert "module:function" in faults("kafka://a", sasl="oauthbearer")
    assert "token" in faults("kafka://a", token="a:b")


async def bearer():
    return "a token"


async def test_a_token_is_asked_of_the_application():
    """OAUTHBEARER asks the named function each time; one that is not there is a fault of the configuration."""
    made = read("kafka://a", sasl="oauthbearer", token="os.path:join").security.arguments()
    assert made["sasl_mechanism"] == "OAUTHBEARER"
    provider = made["sasl_oauth_token_provider"]
    provider._function = bearer
    assert await provider.token() == "a token"
    with pytest.raises(ConfigurationError, match="no_such:thing"):
        read("kafka://a", sasl="oauthbearer", token="no_such:thing").security.arguments()


def test_tls_uses_the_files(tmp_path):
    """Certificates are loaded when the first connection is made; a file that is none is told by its name."""
    assert read("kafka://a", tls=True).security.arguments()["security_protocol"] == "SSL"
    (tmp_path / "ca.pem").write_text("no certificate")
    found = settings.read("k", parse("kafka://a"), {"tls": True, "ca_file": "ca.pem"}, tmp_path)
    with pytest.raises(ConfigurationError, match=r"ca\.pem"):
        found.security.arguments()


def test_the_registry_knows_it():
    """``kafka://`` is served, and describes itself."""
    made = registry.create("k", "kafka://a", {"max_bytes": 5}, base=Path())
    assert made.features.max_bytes == 5
    assert made.features.shares == "partition"


def test_a_group_that_queues_share_needs_a_name_for_groups():
    """As topics have; without one each queue has its own."""
    assert (read("kafka://a").group, read("kafka://a", group="small").group) == ("", "small")
    assert "group = 'a b'" in faults("kafka://a", group="a b")


def test_the_session_follows_from_the_lease():
    """A dead worker's partitions are dealt out again after the lease; the finer key wins."""
    assert read("kafka://a", lease=6).session_timeout == 6
    assert read("kafka://a", lease=60, session_timeout=8).session_timeout == 8
    assert read("kafka://a").session_timeout == 10
    assert "lease = 0.5" in faults("kafka://a", lease=0.5)
