"""Which partition a message goes to: by key, as Kafka's own clients do it; without a key in turn."""

from __future__ import annotations

from random import randrange

from transports.kafka.driver import murmur2

SHARE = 64
"""Messages without key that stay together: few large batches are cheaper than many small ones."""


def by_key(key: bytes, partitions: int) -> int:
    """The partition of a key."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions


class Turns:
    """Spreads messages without a key over a topic's partitions.

    It begins with a random partition: else many programs that send a single message each would all send to the first.
    """

    def __init__(self) -> None:
        self._next: dict[str, int] = {}
        self._left: dict[str, int] = {}

    def take(self, topic: str, partitions: int) -> int:
        """The partition of the next message; the same one for some in a row."""
        left = self._left.get(topic, 0)
        if left <= 0:
            last = self._next.get(topic)
            self._next[topic] = (randrange(partitions) if last is None else last + 1) % partitions
            left = SHARE
        self._left[topic] = left - 1
        return self._next[topic] % partitions

    def pass_on(self) -> None:
        """Let the next message of each topic go to another partition: a batch ends here."""
        self._left.clear()
