"""Requests to SQS are counted as it is configured: it is money."""

from __future__ import annotations

from transports.sqs.pricing import requests
from transports.sqs.settings import Settings


def test_requests_are_counted_by_queues_processes_and_wait() -> None:
    """One poll is always out for each queue in each process; while messages flow it waits for a second."""
    made = requests(Settings(region="r", shown="s", wait=20), queues=10, processes=4)
    assert (made.idle, made.busy) == (7_200, 144_000)
    assert requests(Settings(region="r", shown="s", wait=5), queues=10, processes=4).idle == 4 * 7_200
    assert (made.per_message, made.per_lone_message) == (0.3, 5)
