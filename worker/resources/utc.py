"""Times in UTC, which databases hold and order: a few that a zone can write have none there."""

from __future__ import annotations

from datetime import UTC, datetime


def has_utc(value: datetime) -> bool:
    """Tell whether a time is one between the years 1 and 9999 in UTC, too; one without a zone is."""
    if value.tzinfo is not None:
        try:
            value.astimezone(UTC)
        except OverflowError:
            return False
    return True
