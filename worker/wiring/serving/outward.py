"""What callers over HTTP may know of a trouble: whose it is. The reason, with hosts and users, goes to the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import structlog

log = structlog.stdlib.get_logger("worker")

SEE = "see the log"

_OUTSIDE = ("database", "documents", "transport", "queue ", "pauses")
"""Whose reasons hold what a driver said; those of the process itself are ours to the last word."""


class Outward:
    """Tells outside whose a trouble is, and writes the whole of it to the log, once for as long as it is the same."""

    def __init__(self) -> None:
        self._logged: tuple[str, ...] = ()

    def reasons(self, whole: Sequence[str]) -> list[str]:
        """Cut reasons, ``queue shop-pay: cannot reach …``, after whose they are."""
        if (found := tuple(whole)) != self._logged:
            self._logged = found
            if found:
                log.warning("not healthy", reasons=list(found))
        return [cut(reason) for reason in found]


def cut(reason: str) -> str:
    """Leave of a reason whose it is; what the process says of itself is told as it is.

    Pauses that cannot be read keep their end, which says what holds meanwhile: ``pauses: see the log; the pauses as of version 3 hold``.
    """
    whose, colon, rest = reason.partition(": ")
    if not colon or not reason.startswith(_OUTSIDE):
        return reason
    _, mark, meanwhile = rest.rpartition("; ")
    return f"{whose}: {SEE}; {meanwhile}" if mark and whose == "pauses" else f"{whose}: {SEE}"


def with_cut_troubles(document: dict[str, Any]) -> dict[str, Any]:
    """Cut the troubles of a consumers document; what they are stands in the log of their worker."""
    workers: Iterable[dict[str, Any]] = document["workers"]
    return {
        **document,
        "workers": [
            {**worker, "troubles": [cut(trouble) for trouble in worker["troubles"]]} for worker in workers
        ],
    }
