"""Referrers: hosts of the pages that may use a token."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

HOST = re.compile(r"^(\*\.)?[a-z0-9]([a-z0-9\-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9\-]*[a-z0-9])?)*\Z", re.ASCII)
"""A host's name in lower case, or all names below one: ``*.example.com``."""


def comes_from(hosts: Iterable[str], referer: bytes | None) -> bool:
    """Whether a ``Referer`` header's host is one of these; no header is none of them."""
    if referer is None:
        return False
    try:
        host = urlsplit(referer.decode("ascii")).hostname
    except ValueError:
        return False
    return host is not None and any(_fits(host.rstrip("."), allowed) for allowed in hosts)


def covers(host: str, other: str) -> bool:
    """Whether all that ``other`` lets in is let in by ``host``, too."""
    return host == other or (host.startswith("*.") and other.removeprefix("*.").endswith(host[1:]))


def _fits(host: str, allowed: str) -> bool:
    return host.endswith(allowed[1:]) and host != allowed[1:] if allowed.startswith("*.") else host == allowed
