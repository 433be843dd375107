"""The ``Prefer: wait=N`` header (RFC 7240)."""

from __future__ import annotations

from collections.abc import Iterable


def wait_of(values: Iterable[str], cap: float) -> float | None:
    """Return the seconds that a caller will wait, at most ``cap``; None when it did not say, or not clearly."""
    for value in values:
        for preference in value.replace(";", ",").split(","):
            name, _, seconds = preference.partition("=")
            text = seconds.strip().strip('"')
            if name.strip().lower() == "wait" and text.isascii() and text.isdigit():
                return min(float(text[:9]), cap)
    return None
