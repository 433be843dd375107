"""The time of day, as it is stored."""

from datetime import UTC, datetime


def now() -> str:
    """Give the time as RFC 3339, in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
