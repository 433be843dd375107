"""RabbitMQ behind TLS: the certificate is checked, by the authority and the name that were configured."""

from __future__ import annotations

import asyncio
import contextlib
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

    relays: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_connection(parts.hostname, parts.port)
        pumps = [
            asyncio.ensure_future(pump(reader, behind[1])),
            asyncio.ensure_future(pump(behind[0], writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for part in pumps:
                part.cancel()
            for end in (writer, behind[1]):
                end.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(relay(reader, writer))
        relays.add(task)
        task.add_done_callback(relays.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    yield f"amqps://guest:guest@localhost:{port}{parts.path}"
    server.close()
    for task in relays:
        task.cancel()
    await asyncio.gather(*relays, return_exceptions=True)


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
