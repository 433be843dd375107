"""Secrets stay out of sight."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.settings import Settings, TransportSettings, mask_url, masked
from worker.settings.masking import mask_text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("amqp://guest:guest@h:5672/v", "amqp://guest:***@h:5672/v"),
        ("amqp://h:5672/v", "amqp://h:5672/v"),
        ("amqp://guest@h/", "amqp://guest@h/"),
        ("amqp://u:a@b@h/", "amqp://u:***@h/"),
        ("amqp://u:a/b@h/", "amqp://u:***@h/"),
        ("amqp://u:a?b#c@h/", "amqp://u:***@h/"),
        ("kafka://h1:1,h2:2?sasl_password=x&acks=all", "kafka://h1:1,h2:2?sasl_password=***&acks=all"),
        ("amqp://h:5672/q?mail=a@b", "amqp://h:5672/q?mail=a@b"),
        ("kafka://h1:1,h2:2?sasl_username=a@b", "kafka://h1:1,h2:2?sasl_username=a@b"),
        ("postgresql://[::1]:5432/db?user=a@b", "postgresql://[::1]:5432/db?user=a@b"),
        ("amqp://u:123/x@h", "amqp://u:***@h"),
        ("amqp://u:123?x@h", "amqp://u:***@h"),
        ("amqp://u:123#x@h", "amqp://u:***@h"),
        (
            "postgresql://h/d?sslkey=k&sslpassword=p&sslmode=x",
            "postgresql://h/d?sslkey=***&sslpassword=***&sslmode=x",
        ),
        (
            "https://h/d?sig=k&pass%77ord=p&jwt=j#token=t",
            "https://h/d?sig=***&pass%77ord=***&jwt=***#token=***",
        ),
        (
            "mongodb://h/db?authMechanismProperties=AWS_SESSION_TOKEN:s&authMechanism=MONGODB-AWS",
            "mongodb://h/db?authMechanismProperties=***&authMechanism=MONGODB-AWS",
        ),
        (
            "mongodb://h/?authMechanismProperties=SERVICE_NAME:x%2CAWS_SESSION_TOKEN%3As",
            "mongodb://h/?authMechanismProperties=***",
        ),
        (
            "mongodb://h/?authMechanismProperties=SERVICE_NAME:x&readPreferenceTags=dc:ny",
            "mongodb://h/?authMechanismProperties=SERVICE_NAME:x&readPreferenceTags=dc:ny",
        ),
        ("sqlite:///var/queue.db", "sqlite:///var/queue.db"),
        ("no url: a@b", "no url: a@b"),
    ],
)
def test_passwords_of_urls_are_masked(url, shown):
    """The password and secret parameters of a URL are masked, and nothing else."""
    assert mask_url(url) == shown


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs",)), min_size=8))
def test_no_password_survives_masking(password):
    """Whatever the password is made of, it does not appear."""
    secret = f"Zq{password}qZ"
    assert secret not in mask_url(f"amqp://user:{secret}@host:5672/")


def test_a_url_inside_a_sentence_is_masked():
    """An error message that quotes a URL loses its password."""
    assert mask_text("cannot reach 'amqp://a:b@h/' now") == "cannot reach 'amqp://a:***@h/' now"


def test_masked_settings_are_json_without_secrets():
    """The settings are printed as JSON, with passwords and secret-looking options masked."""
    transport = TransportSettings(
        url="sqs://k:geheim@eu",
        options={"secret_key": "geheim", "tls": {"password": "geheim"}, "queue_type": "x"},
    )
    shown = masked(Settings(transports={"sqs": transport}, routing={"*": "sqs"}))
    text = json.dumps(shown)
    assert "geheim" not in text
    assert shown["transports"]["sqs"]["queue_type"] == "x"
    assert shown["transports"]["sqs"]["secret_key"] == "***"


@pytest.mark.parametrize(
    "password",
    ["s3c@ret/x", "a/b@c/d", "a@b?c", "a@b#c@d", "a?b=c@d/e", "a@b?c=d", "@", "//@", ":@:/", "1/@"],
)
def test_no_part_of_a_password_survives(password):
    """Whatever it holds unescaped, and though the address cannot be read then: no end of it is shown."""
    shown = mask_url(f"postgresql://user:Zq{password}qZ@host/name")
    assert shown == "postgresql://user:***@host/name"
