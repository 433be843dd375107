"""Counts what waits in a queue: in its subscription, and beside it what the service has put aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from transports.pubsub.monitoring import Backlog, Monitoring
from transports.pubsub.names import Names, dead
from worker.messaging.transport import Depth


async def count(monitoring: Monitoring, names: Names, queues: Sequence[str]) -> Mapping[str, Depth]:
    """Count these queues; None where Cloud Monitoring does not tell."""
    main = {queue: names.name(queue) for queue in queues}
    aside = {queue: names.name(dead(queue)) for queue in queues}
    told = await monitoring.backlogs([*main.values(), *aside.values()])
    return {queue: _depth(told[main[queue]], told[aside[queue]]) for queue in queues}


def _depth(main: Backlog, aside: Backlog) -> Depth:
    """Add the two. Without the queue's own count nothing is known; of what was put aside there mostly is no sample."""
    if main.unacknowledged is None:
        return Depth()
    count = main.unacknowledged + (aside.unacknowledged or 0)
    ages = [each.oldest_age for each in (main, aside) if each.unacknowledged and each.oldest_age is not None]
    return Depth(ready=count, oldest_age=max(ages, default=None))
