"""RabbitMQ behind TLS: the certificate is checked, by the authority and the name that were configured."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.integration.rabbitmq.conftest import QUEUE, message
from transports import registry
from worker.errors import TransportUnavailable
from worker.messaging.transport import Ack

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(
        shutil.which("openssl") is None, reason="openssl makes the certificate: apt install openssl"
    ),
]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A folder with ``ca.pem``, a certificate for localhost that is its own authority, and ``key.pem``."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", "key.pem", "-out", "ca.pem", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost"],
        cwd=folder, check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    return folder


@pytest.fixture
async def address(rabbitmq_url: str, certificate: Path) -> AsyncIterator[str]:
    """The broker, behind a relay that speaks TLS."""
    parts = urlsplit(rabbitmq_url)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "ca.pem", certificate / "key.pem")

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_connection(parts.hostname, parts.port)
        await asyncio.gather(pump(reader, behind[1]), pump(behind[0], writer))

    server = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    yield f"amqps://guest:guest@localhost:{port}{parts.path}"
    server.close()


async def test_messages_flow_over_tls(address: str, certificate: Path) -> None:
    """With the authority in ``ca_file`` everything works as without TLS."""
    transport = registry.create("rabbitmq", address, {"ca_file": "ca.pem"}, base=certificate)
    await transport.connect()
    await transport.setup([QUEUE])
    await transport.publish([message(1, body=b"x" * 500_000)])
    subscription = await transport.subscribe(QUEUE, slots=1)
    (delivery,) = await subscription.receive(1, 20.0)
    assert delivery.body == b"x" * 500_000
    await subscription.settle([Ack(delivery)])
    await transport.close()


async def test_an_unknown_authority_is_refused(address: str, certificate: Path) -> None:
    """Without it the connection is refused, and the error says that it is the certificate."""
    transport = registry.create("rabbitmq", address, {}, base=certificate)
    with pytest.raises(TransportUnavailable, match=r"TLS.*certificate"):
        await transport.connect()


async def test_another_name_is_refused(address: str, certificate: Path) -> None:
    """A certificate of another host is none."""
    elsewhere = address.replace("localhost", "127.0.0.1")
    transport = registry.create("rabbitmq", elsewhere, {"ca_file": "ca.pem"}, base=certificate)
    with pytest.raises(TransportUnavailable, match="TLS"):
        await transport.connect()
