"""The ids that tie a message to what caused it, as callers send them."""

from __future__ import annotations

import re

from worker.http.endpoint import Parameter

_CORRELATION = re.compile(rb"[\x21-\x7e]{1,128}\Z")
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")

CORRELATION_ID = Parameter(
    "X-Correlation-Id",
    "header",
    {"type": "string"},
    description=(
        "Goes with the message and all that follows from it: 1 to 128 visible ASCII characters, "
        "ignored when it is anything else."
    ),
    shared="CorrelationId",
)
TRACEPARENT = Parameter(
    "traceparent",
    "header",
    {"type": "string"},
    description="W3C trace context, like `00-<32 digits>-<16 digits>-01`; ignored when malformed.",
    shared="Traceparent",
)


def correlation_id(header: bytes | None) -> str | None:
    """Return the correlation id; None when there is none, or it is no visible ASCII of up to 128 characters."""
    return header.decode() if header is not None and _CORRELATION.match(header) else None


def traceparent(header: bytes | None) -> str | None:
    """Return the W3C trace context; None when there is none or it is malformed: that must not stop a command."""
    if header is None or not _TRACEPARENT.match(header) or header.startswith(b"ff"):
        return None
    _, trace, span, _ = header.split(b"-")
    return None if trace == b"0" * 32 or span == b"0" * 16 else header.decode()
