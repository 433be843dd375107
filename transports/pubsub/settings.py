"""Settings of one Pub/Sub transport, read from its address and table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from transports.dsn import Dsn
from transports.options import Options
from transports.pubsub import names

LARGEST = 9_900_000
"""Bytes of a body: Pub/Sub takes 10 MB a request, names and attributes included."""
EMULATOR = "PUBSUB_EMULATOR_HOST"
_SHORTEST_LEASE, _LONGEST_LEASE = 10, 600
_SHORTEST_ONCE = 60
"""Seconds: a shorter lease of a subscription that confirms acknowledgements is over before they are confirmed."""
_SHORTEST_RETENTION, _LONGEST_RETENTION = 600, 31 * 86_400


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What was configured; times in seconds.

    Attributes:
        project: id of the Google Cloud project.
        shown: the address as it may be printed.
        emulator_host: ``host:port`` of an emulator, spoken to without credentials; empty for the service.
        prefix: of every topic and subscription.
        copies: keep a copy of each message in the state database until it is done with; an emulator forgets its own.
        exactly_once: ask for subscriptions that confirm acknowledgements.
        lease: how long a delivery is held; the subscription's acknowledgement deadline.
        retention: how long a message that is not acknowledged is kept.
        monitoring: ask Cloud Monitoring how much waits.
        max_bytes: largest body.
        timeout: for one answer of the service.
    """

    project: str
    shown: str
    emulator_host: str = ""
    prefix: str = ""
    copies: bool = False
    exactly_once: bool = False
    lease: int = 60
    retention: int = 7 * 86_400
    monitoring: bool = False
    max_bytes: int = LARGEST
    timeout: float = 10.0


def read(name: str, url: Dsn, options: Mapping[str, Any]) -> Settings:
    """Read the settings; ``PUBSUB_EMULATOR_HOST`` counts where ``emulator_host`` is not given.

    Raises:
        ConfigurationError: the address or an option is wrong; names each.
    """
    reader = Options(name, options)
    emulator_host = reader.text("emulator_host") or os.environ.get(EMULATOR, "")
    settings = Settings(
        project=url.hosts[0] if url.hosts else "",
        shown=url.masked,
        emulator_host=emulator_host,
        prefix=reader.text("prefix") or "",
        copies=reader.flag("copies", default=bool(emulator_host)),
        exactly_once=reader.flag("exactly_once", default=False),
        lease=reader.whole("lease", 60, minimum=_SHORTEST_LEASE, unit="seconds"),
        retention=reader.whole("retention", 7 * 86_400, minimum=_SHORTEST_RETENTION, unit="seconds"),
        monitoring=reader.flag("monitoring", default=False),
        max_bytes=reader.whole("max_bytes", LARGEST, minimum=1, unit="bytes"),
        timeout=reader.number("timeout", 10.0, minimum=0.5),
    )
    _check(reader, url, settings)
    reader.finish()
    return settings


def _check(reader: Options, url: Dsn, settings: Settings) -> None:
    simple = len(url.hosts) == 1 and url.username is None and not url.query and url.path in {"", "/"}
    if not simple or not names.is_project(settings.project):
        reader.fault("url", url.masked, "pubsub://project-id (credentials come from the environment)")
    if settings.prefix and (
        wrong := names.fault(names.Names(settings.project, settings.prefix).name("queue"))
    ):
        reader.fault("prefix", settings.prefix, f"a prefix that topics can have ({wrong})")
    if settings.exactly_once and settings.lease < _SHORTEST_ONCE:
        reader.fault(
            "lease",
            settings.lease,
            f"at least {_SHORTEST_ONCE} seconds with exactly_once, as Pub/Sub advises",
        )
    if settings.lease > _LONGEST_LEASE:
        reader.fault("lease", settings.lease, f"at most {_LONGEST_LEASE} seconds, Pub/Sub's longest deadline")
    if settings.retention > _LONGEST_RETENTION:
        reader.fault("retention", settings.retention, f"at most {_LONGEST_RETENTION} seconds, 31 days")
    if settings.max_bytes > LARGEST:
        reader.fault("max_bytes", settings.max_bytes, f"at most {LARGEST} bytes, Pub/Sub's limit")
