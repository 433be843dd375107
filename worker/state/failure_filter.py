"""A filter of failed messages as parameters of the statements that take one."""

from __future__ import annotations

from typing import Any

from worker.messaging.failure import Filter
from worker.state.statement import Statement


def parameters(chosen: Filter) -> dict[str, Any]:
    """Make the parameters; what is left open is None."""
    return {
        "type": chosen.type,
        "types": [] if chosen.type is None else [chosen.type, *chosen.aliases],
        "transport": chosen.transport,
        "queue": chosen.queue,
        "since": chosen.since,
        "until": chosen.until,
        "error": chosen.error,
        "group_key": chosen.group,
        "ids": None if chosen.ids is None else list(chosen.ids),
    }


def among(chosen: Filter, every: Statement, listed: Statement) -> Statement:
    """Choose between a statement over all rows and the same over those of the filter's ids."""
    return every if chosen.ids is None else listed
