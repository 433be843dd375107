"""What is learned from a request of Amazon's own client: where it goes, and the form it has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from botocore.utils import get_environ_proxies

_CONTENT_TYPE = "application/x-amz-json-1.0"
_TARGET = "AmazonSQS."
_KEPT = ("Content-Type", "User-Agent", "x-amzn-query-mode")
"""Headers that are the same on every request."""

_SIGNATURE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^ ]*/\d{8}/([^/ ,]+)/([^/ ,]+)/aws4_request,.*", re.DOTALL
)


class Sample(msgspec.Struct, frozen=True):
    """How requests are written.

    Attributes:
        url: where all requests go.
        host: the host and port that are signed.
        region: the region that is signed.
        service: the name of the service that is signed.
        headers: those that all requests have.
        target: what stands before the action's name in its header.
    """

    url: str
    host: str
    region: str
    service: str
    headers: Mapping[str, str]
    target: str = _TARGET


def learned(request: Any) -> Sample | None:
    """Read a request that is about to be sent; None where its form is not the one known here.

    Its form is another one where a proxy is used, where the signature is of another kind, or where the client speaks
    another protocol than JSON 1.0: then the client itself makes all requests.
    """
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    parts = urlsplit(request.url)
    signed = _SIGNATURE.fullmatch(headers.get("authorization", ""))
    known = (
        signed is not None
        and request.method == "POST"
        and headers.get("content-type") == _CONTENT_TYPE
        and headers.get("x-amz-target", "").startswith(_TARGET)
        and parts.path in {"", "/"}
        and not parts.query
        and parts.scheme not in get_environ_proxies(request.url)
    )
    if not known or signed is None:
        return None
    host = headers.get("host") or parts.netloc.rpartition("@")[2]
    kept = {name: headers[name.lower()] for name in _KEPT if name.lower() in headers}
    return Sample(request.url, host, signed[1], signed[2], kept)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
