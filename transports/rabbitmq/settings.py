"""Settings of one RabbitMQ transport, read from its address and table."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from transports.dsn import Dsn, parse
from transports.options import Options

QUEUE_TYPES = ("quorum", "classic")
DEATHS = 20
"""The least delivery limit: that a few workers were killed while they had a message need not be the message's fault."""
SILENT = 3
"""Heartbeats of silence after which RabbitMQ has surely given a client up: it looks once in each, and lets two pass."""
_LONGEST_HEARTBEAT = 65_535
_PORTS = {"amqp": 5672, "amqps": 5671}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What was configured; times in seconds.

    Attributes:
        address: of the broker, as it may be printed: without the password.
        hosts: host and port, tried in this order.
        tls: what certificates are checked with; None without TLS.
        heartbeat: after one and a half of silence the connection is ended here, after two to three by the broker. A third
            of ``lease`` where it is not given itself.
        queue_type: ``quorum`` or ``classic``.
        delivery_limit: hand-overs after which a quorum queue puts a message aside.
        publish_timeout: after which the outcome of an unconfirmed publish counts as unknown.
        max_bytes: largest body.
        management: address of the broker's HTTP interface; None where it is not used.
    """

    address: str
    hosts: tuple[tuple[str, int], ...]
    username: str = "guest"
    password: str = "guest"
    vhost: str = "/"
    tls: ssl.SSLContext | None = None
    heartbeat: int = 10
    queue_type: str = "quorum"
    delivery_limit: int = 100
    publish_timeout: float = 30.0
    max_bytes: int = 16 * 1024 * 1024
    management: Dsn | None = None


def read(name: str, url: Dsn, options: Mapping[str, Any], base: Path) -> Settings:
    """Read the settings; relative paths start from ``base``.

    Raises:
        ConfigurationError: the address or an option is wrong; names each.
    """
    reader = Options(name, options)
    queue_type = reader.choice("queue_type", "quorum", QUEUE_TYPES)
    delivery_limit = reader.whole("delivery_limit", 100, minimum=DEATHS, unit="deliveries")
    publish_timeout = reader.number("publish_timeout", 30.0, minimum=0.1)
    max_bytes = reader.whole("max_bytes", 16 * 1024 * 1024, minimum=1, unit="bytes")
    lease = reader.number("lease", float(SILENT * 10), minimum=float(SILENT))
    following = min(int(lease / SILENT), _LONGEST_HEARTBEAT)
    heartbeat = reader.whole("heartbeat", following, minimum=1, unit="seconds")
    management = _management(reader)
    tls = _tls(reader, url, base)
    hosts = _hosts(reader, url)
    if url.query:
        reader.fault("url", url.masked, "no parameters: options stand in the transport's table")
    reader.finish()
    return Settings(
        address=url.masked,
        hosts=hosts,
        username=url.username or "guest",
        password=url.password if url.password is not None else "guest",
        vhost=url.path[1:] or "/",
        tls=tls,
        heartbeat=heartbeat,
        queue_type=queue_type,
        delivery_limit=delivery_limit,
        publish_timeout=publish_timeout,
        max_bytes=max_bytes,
        management=management,
    )


def _hosts(reader: Options, url: Dsn) -> tuple[tuple[str, int], ...]:
    """Take hosts and ports apart; IPv6 as in ``[::1]:5672``."""
    found = []
    for text in url.hosts or ("localhost",):
        host, separator, port = text.rpartition(":")
        if not separator or text.endswith("]"):
            host, port = text, str(_PORTS[url.scheme])
        if not port.isdigit() or not 0 < int(port) < 65536 or not host:
            reader.fault("url", url.masked, f"{url.scheme}://user:password@host:port,host:port/vhost")
            return ()
        found.append((host.strip("[]"), int(port)))
    return tuple(found)


def _tls(reader: Options, url: Dsn, base: Path) -> ssl.SSLContext | None:
    """Make the TLS context, which trusts the system's authorities, or those of ``ca_file``."""
    ca, cert, key = (reader.text(option) for option in ("ca_file", "cert_file", "key_file"))
    if url.scheme != "amqps":
        for option, value in (("ca_file", ca), ("cert_file", cert), ("key_file", key)):
            if value is not None:
                reader.fault(option, value, "an address that begins with amqps://")
        return None
    if key is not None and cert is None:
        reader.fault("key_file", key, "the certificate that it belongs to in 'cert_file'")
        return None
    try:
        context = ssl.create_default_context(cafile=str(base / ca) if ca else None)
    except (OSError, ssl.SSLError) as error:
        reader.fault("ca_file", ca, f"a file of certificates in PEM format ({error})")
        return None
    if cert is not None:
        try:
            context.load_cert_chain(base / cert, base / key if key else None)
        except (OSError, ssl.SSLError) as error:
            reader.fault("cert_file", cert, f"a certificate in PEM format and its key ({error})")
    return context


def _management(reader: Options) -> Dsn | None:
    text = reader.text("management_url")
    if text is None:
        return None
    try:
        url = parse(text)
    except ValueError:
        url = None
    if url is None or url.scheme not in {"http", "https"} or len(url.hosts) != 1:
        reader.fault(
            "management_url", "***" if url is None else url.masked, "http://user:password@host:15672"
        )
        return None
    return url
