"""How many requests to the service are made: each is paid for."""

from __future__ import annotations

from transports.sqs.polls import QUICK
from transports.sqs.settings import MOST, Settings
from worker.messaging.abilities import Requests

_CALLS = 3
"""Requests for each message: one sends it, one receives it, one removes it."""

_FROM_IDLE = 2
"""More requests for a message to an idle queue: one holds it for a lease, and a short poll finds that no more comes."""


def requests(settings: Settings, queues: int, processes: int) -> Requests:
    """Count them: one poll is always out for each queue in each process."""
    polls = queues * processes * 3600
    return Requests(
        queues=queues,
        processes=processes,
        idle=polls / settings.wait,
        busy=polls / min(QUICK, settings.wait),
        per_message=_CALLS / MOST,
        per_lone_message=_CALLS + _FROM_IDLE,
    )
