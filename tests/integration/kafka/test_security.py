"""Kafka behind TLS and SASL: messages flow, and what is refused is told with the broker and the reason, never the password."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection

from tests.brokers.secured import PASSWORD, Secured
from tests.conformance.bench import ack, take
from tests.integration.kafka.work import QUEUE, messages
from transports import registry
from worker.errors import TransportUnavailable
from worker.messaging.transport import Transport

pytestmark = [
    pytest.mark.broker,
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("openssl") is None, reason="openssl makes the certificate: apt install openssl"
    ),
]

WRONG = "wr0ng-of-the-test"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory, private_broker: Callable[..., Any]) -> Secured:
    """The listener with TLS and SASL of a broker of these tests' own."""
    made = Secured(tmp_path_factory.mktemp("tls"))
    private_broker("kafka", secured=made)
    return made


@pytest.fixture(autouse=True)
async def farewell(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Every connection is closed by the end of its test. TLS's farewell takes a while, for which the driver does not wait."""
    made: list[AIOKafkaConnection] = []
    connect = AIOKafkaConnection.connect

    async def remembered(connection: AIOKafkaConnection) -> object:
        made.append(connection)
        return await connect(connection)

    monkeypatch.setattr(AIOKafkaConnection, "connect", remembered)
    yield
    assert not any(connection.connected() for connection in made)
    spoken = [connection.close() for connection in made if connection._protocol is not None]
    async with asyncio.timeout(30):
        await asyncio.gather(*spoken)


def make(secured: Secured, url: str, **options: Any) -> Transport:
    """A transport with a prefix of its own that trusts the broker's authority."""
    trusting = {"tls": True, "ca_file": "ca.pem", "partitions": 2, "timeout": 5}
    return registry.create(
        "kafka", f"{url}/t{uuid.uuid4().hex[:12]}", trusting | options, base=secured.folder
    )


async def flows(transport: Transport) -> None:
    """Create a queue, publish to it, and consume all of it."""
    await transport.connect()
    try:
        await transport.setup([QUEUE])
        await transport.publish(messages(20))
        subscription = await transport.subscribe(QUEUE, slots=1)
        await ack(subscription, await take(subscription, 20))
        await subscription.close(5.0)
        assert (await transport.depth([QUEUE.name]))[QUEUE.name].ready == 0  # type: ignore[attr-defined]
    finally:
        await transport.close()


async def refused(transport: Transport, caplog: pytest.LogCaptureFixture) -> str:
    """What is said when it cannot connect; no password is in it, nor in the log."""
    with pytest.raises(TransportUnavailable) as caught:
        await transport.connect()
    await transport.close()
    said = str(caught.value)
    for password in (PASSWORD, WRONG):
        assert password not in said + repr(caught.value.__cause__) + caplog.text
    return said


@pytest.mark.parametrize("sasl", ["plain", "scram-sha-512"])
async def test_messages_flow_with_a_password(secured: Secured, sasl: str) -> None:
    """With the authority in ``ca_file``, by either mechanism."""
    await flows(make(secured, secured.url(), sasl=sasl))


async def test_messages_flow_with_a_token(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    """The configured function is asked for a token by each connection, and the broker takes it."""
    asked = 0

    def part(content: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    async def fetch() -> str:
        nonlocal asked
        asked += 1
        now = time.time()
        return f"{part({'alg': 'none'})}.{part({'sub': 'worker', 'iat': now - 5, 'exp': now + 300})}."

    tokens = ModuleType("tokens_of_the_test")
    tokens.fetch = fetch  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, tokens.__name__, tokens)
    url = f"kafka://localhost:{secured.port}"
    await flows(make(secured, url, sasl="oauthbearer", token=f"{tokens.__name__}:fetch"))
    assert asked >= 3


@pytest.mark.parametrize("sasl", ["plain", "scram-sha-512"])
async def test_a_wrong_password_is_told(
    secured: Secured, sasl: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With the broker, the user and the mechanism, in the broker's words."""
    said = await refused(make(secured, secured.url(WRONG), sasl=sasl), caplog)
    assert f"localhost:{secured.port} refuses user 'worker' (sasl = '{sasl}'): Authentication failed" in said


async def test_a_mechanism_that_is_not_taken_is_told(
    secured: Secured, caplog: pytest.LogCaptureFixture
) -> None:
    """By the name that it has in the configuration."""
    said = await refused(make(secured, secured.url(), sasl="scram-sha-256"), caplog)
    assert f"localhost:{secured.port} does not take sasl = 'scram-sha-256'" in said


async def test_an_unknown_authority_is_told(secured: Secured, caplog: pytest.LogCaptureFixture) -> None:
    """With the option that names whom to trust, and the file where there is one."""
    said = await refused(make(secured, secured.url(), ca_file=None), caplog)
    assert "not accepted with the system's authorities (ca_file): self-signed certificate" in said
    other = Secured(Path(secured.folder / "other"), port=secured.port)
    said = await refused(make(other, secured.url()), caplog)
    assert (
        f"localhost:{secured.port} has a certificate that is not accepted with {other.folder}/ca.pem" in said
    )


async def test_another_name_is_told(secured: Secured, caplog: pytest.LogCaptureFixture) -> None:
    """A certificate of another host is none."""
    said = await refused(make(secured, secured.url().replace("localhost", "127.0.0.1")), caplog)
    assert "certificate is not valid for '127.0.0.1'" in said


async def test_a_listener_with_tls_that_is_spoken_to_without(
    secured: Secured, caplog: pytest.LogCaptureFixture
) -> None:
    """What is said names the settings to look at."""
    said = await refused(make(secured, secured.url(), tls=False, ca_file=None), caplog)
    assert f"localhost:{secured.port} closes the connection at once: does it expect other tls or sasl" in said


async def test_a_broker_that_is_not_there_is_told(secured: Secured, caplog: pytest.LogCaptureFixture) -> None:
    """Which it was."""
    said = await refused(make(secured, "kafka://localhost:1", tls=False, ca_file=None), caplog)
    assert "localhost:1 does not answer" in said
