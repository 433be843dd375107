"""Groups of failed messages: one key for each type, handler and error type."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from worker.messaging.failure import Failure

UNKNOWN = "Unknown"
"""Error type of a failure that came without a history."""


def group_key(type_name: str | None, handler: str | None, error_type: str) -> str:
    """Make the key: 12 hexadecimal digits, the same everywhere."""
    return hashlib.sha256(msgspec.json.encode((type_name, handler, error_type))).hexdigest()[:12]


def group_rows(failure: Failure) -> list[dict[str, Any]]:
    """Make a row for each group that a failure counts in: one for each handler that failed last."""
    pairs = dict.fromkeys((attempt.handler, attempt.error_type) for attempt in failure.history)
    return [
        {
            "failure_id": failure.id,
            "group": group_key(failure.type, handler, error_type),
            "handler": handler,
            "error_type": error_type,
        }
        for handler, error_type in pairs or [(None, UNKNOWN)]
    ]
