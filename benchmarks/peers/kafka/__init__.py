"""Kafka's clients by themselves, and a framework; what they share."""

from __future__ import annotations

PARTITIONS = 12
BATCH = 500
"""Messages that are taken at once."""


def servers_of(url: str) -> str:
    """``host:port`` of a ``kafka://host:port/prefix``."""
    return url.removeprefix("kafka://").partition("/")[0]


def topic_of(url: str, queue: str) -> str:
    """The topic of a queue, which is its group's name too."""
    return f"{url.removeprefix('kafka://').partition('/')[2]}.{queue}"
