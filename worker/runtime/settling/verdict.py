"""What became of a failed message."""

from __future__ import annotations

import msgspec

from worker.messaging.observing import How
from worker.messaging.transport import Settlement

RETURN_DELAY = 1.0
"""Seconds that a message is held back when it returns because something outside does not answer."""


class Verdict(msgspec.Struct, frozen=True):
    """How a failed message is settled, and what that makes of it: retrying, failed, returned or done."""

    settlement: Settlement
    outcome: How
    attempt: int = 1
    error: BaseException | None = None
