"""Settings of one SQS transport, read from its address and table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from transports.dsn import Dsn
from transports.options import Options
from transports.sqs import names

LONGEST_WAIT = 20
"""Seconds that the service lets one poll wait at most."""

LONGEST_LEASE = 43_200.0
"""Seconds from its receipt for which the service keeps a message hidden at most."""

MOST = 10
"""Entries that one request takes."""

_REGION = re.compile(r"[a-z0-9-]+")
_ENDPOINT = re.compile(r"https?://[^/?#@]+/?")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What was configured; times in seconds.

    Attributes:
        region: of the service.
        shown: the address as it may be printed.
        endpoint: URL of a server that stands for the service; None for the service itself.
        prefix: what the name of every queue begins with.
        fifo: which queues are FIFO: ``keyed`` for those of types with a key, ``all``, or ``none``.
        lease: how long a delivery is held; extended while it is handled.
        pollers: most polls at once for a queue, in one process.
        wait: how long an idle poll waits.
        max_bytes: largest body, where the queue itself does not say less.
        timeout: how long to wait for one answer of the service.
    """

    region: str
    shown: str
    endpoint: str | None = None
    prefix: str = ""
    fifo: str = "keyed"
    lease: float = 60.0
    pollers: int = 4
    wait: int = LONGEST_WAIT
    max_bytes: int = 1_048_576
    timeout: float = 10.0

    def is_fifo(self, *, keyed: bool) -> bool:
        """Whether a queue is FIFO, by whether its types have a key."""
        return self.fifo == "all" or (self.fifo == "keyed" and keyed)


def read(name: str, url: Dsn, options: Mapping[str, Any]) -> Settings:
    """Read the settings; ``endpoint_url`` and ``prefix`` may stand in the address, too.

    Raises:
        ConfigurationError: the address or an option is wrong; names each.
    """
    known = {"endpoint_url", "prefix"}
    reader = Options(name, {**{key: url.query[key] for key in url.query if key in known}, **options})
    fifo = options.get("fifo", "keyed")
    settings = Settings(
        region=url.hosts[0] if url.hosts else "",
        shown=url.masked,
        endpoint=reader.text("endpoint_url"),
        prefix=_prefix(reader),
        fifo={True: "all", False: "none"}.get(fifo, "keyed") if isinstance(fifo, bool) else "keyed",
        lease=float(reader.whole("lease", 60, minimum=1, unit="seconds")),
        pollers=reader.whole("pollers", 4, minimum=1, unit="polls"),
        wait=reader.whole("wait", LONGEST_WAIT, minimum=1, unit="seconds"),
        max_bytes=reader.whole("max_bytes", 1_048_576, minimum=1, unit="bytes"),
        timeout=reader.number("timeout", 10.0, minimum=0.5),
    )
    if not isinstance(fifo, bool):
        reader.choice("fifo", "keyed", ("keyed", True, False))  # type: ignore[arg-type]
    else:
        reader.flag("fifo", default=fifo)
    if len(url.hosts) != 1 or not _REGION.fullmatch(settings.region) or url.path or set(url.query) - known:
        reader.fault("url", url.masked, "sqs://region, as sqs://eu-west-1")
    if url.username is not None or url.password is not None:
        reader.fault(
            "url", url.masked, "no credentials: they come by the SDK's own chain (environment, profile, role)"
        )
    if settings.endpoint is not None and not _ENDPOINT.fullmatch(settings.endpoint):
        reader.fault("endpoint_url", settings.endpoint, "http://host:port")
    if settings.lease > LONGEST_LEASE:
        reader.fault("lease", settings.lease, f"at most {LONGEST_LEASE:g} seconds")
    if settings.wait > LONGEST_WAIT:
        reader.fault("wait", settings.wait, f"at most {LONGEST_WAIT} seconds")
    reader.finish()
    return settings


def _prefix(reader: Options) -> str:
    prefix = reader.text("prefix") or ""
    if wrong := names.fault(prefix):
        reader.fault("prefix", prefix, wrong)
        return ""
    return prefix
