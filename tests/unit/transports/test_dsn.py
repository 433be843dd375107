"""Addresses: taken apart, and never printed with their secrets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transports import dsn


def test_an_address_is_taken_apart_and_decoded():
    found = dsn.parse("AMQP://us%65r:p%40ss@h1:5672,h2/v%2Fhost?heartbeat=30&heartbeat=60")
    assert (found.scheme, found.username, found.password) == ("amqp", "user", "p@ss")
    assert (found.hosts, found.path, dict(found.query)) == (("h1:5672", "h2"), "/v/host", {"heartbeat": "60"})


def test_a_local_address_has_neither_host_nor_user():
    found = dsn.parse("sqlite:///var/queue.db")
    assert (found.hosts, found.username, found.password, found.path) == ((), None, None, "/var/queue.db")


@pytest.mark.parametrize("url", ["", "sqlite", "localhost:5672"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValueError, match="scheme"):
        dsn.parse(url)


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("amqp://guest:hunter2@localhost:5672/", "amqp://guest:***@localhost:5672/"),
        ("amqp://guest@localhost/", "amqp://guest@localhost/"),
        ("amqp://:hunter2@localhost/", "amqp://:***@localhost/"),
        ("kafka://h:9092?sasl_password=hunter2&acks=all", "kafka://h:9092?sasl_password=***&acks=all"),
        (
            "sqs://eu?AWS_Secret_Access_Key=hunter2#token=hunter2",
            "sqs://eu?AWS_Secret_Access_Key=***#token=***",
        ),
        ("amqp://u:hun/ter2@h/", "amqp://u:***@h/"),
        ("amqp://u:hun?ter2@h/", "amqp://u:***@h/"),
        ("amqp://u:hun@ter2@h/", "amqp://u:***@h/"),
        ("u:hunter2@h", "u:***@h"),
        ("amqp://u:123/x@h", "amqp://u:***@h"),
        ("amqp://u:123?x@h", "amqp://u:***@h"),
        ("amqp://u:123#x@h", "amqp://u:***@h"),
        ("kafka://h1:1,h2:2?sasl_username=a@b", "kafka://h1:1,h2:2?sasl_username=a@b"),
        (
            "postgresql://h/d?sslkey=k&pass%77ord=p&sig=s",
            "postgresql://h/d?sslkey=***&pass%77ord=***&sig=***",
        ),
        ("sqlite:////var/queue.db", "sqlite:////var/queue.db"),
        ("postgresql://[::1]:5432/db?user=a@b", "postgresql://[::1]:5432/db?user=a@b"),
    ],
)
def test_secrets_are_masked_and_the_rest_stays(url, masked):
    assert dsn.mask(url) == masked


@given(st.text(alphabet=st.characters(codec="ascii", exclude_characters="@"), min_size=1))
def test_no_password_survives_masking(password):
    secret = f"<{password}>"
    assert secret not in dsn.mask(f"amqp://user:{secret}@localhost:5672/")


def test_a_dsn_does_not_print_its_password():
    assert "hunter2" not in repr(dsn.parse("amqp://u:hunter2@h/"))


@pytest.mark.parametrize(
    "password",
    ["s3c@ret/x", "a/b@c/d", "a@b?c", "a@b#c@d", "a?b=c@d/e", "a@b?c=d", "@", "//@", ":@:/", "1/@"],
)
def test_no_part_of_a_password_survives(password):
    """Whatever it holds unescaped, and though the address cannot be read then: no end of it is shown."""
    shown = dsn.mask(f"postgresql://user:Zq{password}qZ@host/name")
    assert shown == "postgresql://user:***@host/name"


@pytest.mark.parametrize(
    "url",
    [
        "amqp://u:Zq@qZ/x@host/",
        "postgresql://u:Zq/qZ@host/name",
        "kafka://u:a@b/c@host:1",
        "amqp://u:123/x@host",
        "amqp://u:123?x@host",
        "amqp://u:123#x@host",
        "amqp://u:Zq?x=y@host",
        "amqp://u:Zq@q?Z@host",
    ],
)
def test_an_address_whose_password_is_not_escaped_is_refused(url):
    """Its end would be taken for a host, looked up in the network and shown; the error says how to write it."""
    with pytest.raises(ValueError, match="%40") as caught:
        dsn.parse(url)
    assert "Zq" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["amqp://h/a@b", "kafka://h1,h2/a@b", "amqp://[::1]/a@b", "sqlite:///a@b/c.db"]
)
def test_an_at_sign_in_a_path_is_no_password(url):
    """Where neither a port nor a password is named there is nothing to hide."""
    assert dsn.parse(url).path.endswith(("a@b", "a@b/c.db"))
