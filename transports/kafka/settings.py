"""Settings of one Kafka transport, read from its address and table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from transports.dsn import Dsn
from transports.kafka import names, security
from transports.kafka.security import Security
from transports.options import Options

PORT = 9092


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What was configured; times in seconds.

    Attributes:
        servers: ``host:port`` of some brokers; the rest of the cluster is found by them.
        shown: the address as it may be printed.
        prefix: of every topic and group.
        group: the one that all queues share, in every process; empty where each queue has its own.
        partitions: of a queue's topic: how many processes can share it.
        replication: copies of each partition.
        retention: how long Kafka keeps a message, handled or not; 0 for ever.
        max_bytes: largest body.
        timeout: how long to wait for one answer of the brokers.
        session_timeout: silence after which a process loses its partitions; ``lease`` where it is not given itself.
        rebalance_timeout: how long handlers may go on running when partitions move to another process.
        commit_interval: time between commits of what is done.
        security: how to connect.
    """

    servers: tuple[str, ...]
    shown: str
    prefix: str = ""
    group: str = ""
    partitions: int = 12
    replication: int = 1
    retention: float = 604_800.0
    max_bytes: int = 1_000_000
    timeout: float = 10.0
    session_timeout: float = 10.0
    rebalance_timeout: float = 30.0
    commit_interval: float = 0.5
    security: Security = Security()


def read(name: str, url: Dsn, options: Mapping[str, Any], base: Path) -> Settings:
    """Read the settings; relative paths start from ``base``.

    Raises:
        ConfigurationError: the address or an option is wrong; names each.
    """
    reader = Options(name, options)
    lease = reader.number("lease", 10.0, minimum=1.0)
    settings = Settings(
        servers=tuple(_with_port(host) for host in url.hosts),
        shown=url.masked,
        prefix=url.path.strip("/"),
        group=reader.text("group") or "",
        partitions=reader.whole("partitions", 12, minimum=1, unit="partitions"),
        replication=reader.whole("replication", 1, minimum=1, unit="copies"),
        retention=reader.number("retention", 604_800.0, minimum=0.0),
        max_bytes=reader.whole("max_bytes", 1_000_000, minimum=1, unit="bytes"),
        timeout=reader.number("timeout", 10.0, minimum=0.5),
        session_timeout=reader.number("session_timeout", lease, minimum=1.0),
        rebalance_timeout=reader.number("rebalance_timeout", 30.0, minimum=1.0),
        commit_interval=reader.number("commit_interval", 0.5, minimum=0.01),
        security=security.read(reader, url, base),
    )
    if not url.hosts or url.query:
        reader.fault("url", url.masked, "kafka://host:9092,host:9092/prefix; user and password before an @")
    elif settings.prefix and (wrong := names.fault(settings.prefix)):
        reader.fault("url", url.masked, f"a prefix that topics can have ({wrong})")
    if settings.group and (wrong := names.fault(names.Names(settings.prefix, settings.group).shared)):
        reader.fault("group", settings.group, f"a name that groups can have ({wrong})")
    reader.finish()
    return settings


def _with_port(host: str) -> str:
    plain = host.rpartition("]")[2] if host.startswith("[") else host
    return host if ":" in plain else f"{host}:{PORT}"
