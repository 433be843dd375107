"""A process that is started in place of one that died: the group still counts that one in."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

MARK = "WORKER_DIED_AT"
"""When the process died in whose place this one was started, on the machine's monotonic clock; set by the supervisor."""

_MARGIN = 0.5


def patience(
    session_timeout: float,
    environment: Mapping[str, str] = os.environ,
    now: Callable[[], float] = time.monotonic,
) -> float:
    """Seconds until the group has noticed that death.

    A group that somebody joins waits for all its members, the dead one too, and hands nothing out meanwhile; so whoever
    joins before comes no sooner to work, and holds up the others.
    """
    try:
        died_at = float(environment.get(MARK, "-inf"))
    except ValueError:
        return 0.0
    return min(max(died_at + session_timeout + _MARGIN - now(), 0.0), session_timeout + _MARGIN)
