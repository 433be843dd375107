"""Names of what stands behind one queue of the application."""

from __future__ import annotations

LONGEST = 255 - len(".keys")
"""Bytes of a queue's name: AMQP allows 255."""


def keys(queue: str) -> str:
    """Where messages with a key wait; only one consumer of all workers has this queue at a time."""
    return f"{queue}.keys"


def dead(queue: str) -> str:
    """Where a quorum queue puts what was handed out too often."""
    return f"{queue}.dead"
