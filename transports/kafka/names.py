"""Names of topics: a queue's own, and those where its delayed messages wait."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

LONGEST = 249
_LEGAL = re.compile(r"[A-Za-z0-9._-]+")


class Level(msgspec.Struct, frozen=True):
    """A topic for delays up to ``seconds``: short delays need not wait behind long ones."""

    suffix: str
    seconds: float


LEVELS = (Level("delayed-10s", 10.0), Level("delayed-5m", 300.0), Level("delayed-1h", 3600.0))


class Names(msgspec.Struct, frozen=True):
    """Names on one cluster.

    Attributes:
        prefix: keeps several environments apart.
        group: the one that all queues share; empty where each queue has its own.
    """

    prefix: str = ""
    group: str = ""

    def topic(self, queue: str) -> str:
        """The topic of a queue, which is also the name of its own consumer group."""
        return f"{self.prefix}.{queue}" if self.prefix else queue

    @property
    def shared(self) -> str:
        """The full name of the group that all queues share; empty where each has its own."""
        return self.topic(self.group) if self.group else ""

    def group_of(self, queue: str) -> str:
        """The consumer group that takes a queue."""
        return self.shared or self.topic(queue)

    def delayed(self, queue: str, level: Level) -> str:
        """The topic where a queue's messages wait for up to a level's time."""
        return f"{self.topic(queue)}.{level.suffix}"

    def all(self, queue: str) -> Sequence[str]:
        """Every topic of a queue, its own first."""
        return [self.topic(queue), *(self.delayed(queue, level) for level in LEVELS)]


def level_for(delay: float) -> Level:
    """Return the level for a delay; it must not be longer than that of the longest level."""
    return next(level for level in LEVELS if delay <= level.seconds)


def fault(topic: str) -> str | None:
    """Say what is wrong with a topic's name; None when Kafka takes it."""
    if len(topic) > LONGEST:
        return f"topic {topic!r} has {len(topic)} characters, Kafka takes {LONGEST}"
    if not _LEGAL.fullmatch(topic) or topic in {".", ".."}:
        return f"topic {topic!r}: Kafka takes letters, digits, '.', '_' and '-'"
    return None
