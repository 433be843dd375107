"""A process that is started in place of one that died: the group still counts the dead one as a member."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

MARK = "WORKER_DIED_AT"
"""Name of the variable by which the supervisor tells when the process before this one died, by the monotonic clock."""

_MARGIN = 0.5


def patience(
    session_timeout: float,
    environment: Mapping[str, str] = os.environ,
    now: Callable[[], float] = time.monotonic,
) -> float:
    """Return the seconds until the group has noticed that death.

    When a member joins, the group waits for all its members, the dead one, too, and hands nothing out meanwhile. So a
    process that joins before gets to work no sooner, and holds up the other members.
    """
    try:
        died_at = float(environment.get(MARK, "-inf"))
    except ValueError:
        return 0.0
    return min(max(died_at + session_timeout + _MARGIN - now(), 0.0), session_timeout + _MARGIN)
