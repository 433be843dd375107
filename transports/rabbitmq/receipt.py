"""What settles a delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from transports.rabbitmq.consumption import Consumption

MAIN, KEYS, DEAD = "main", "keys", "dead"
"""The consumers of one subscription: of the main queue, of messages with a key, and of what was put aside."""


class Receipt(NamedTuple):
    """The generation that a delivery came with, its tag there, and its consumer. Each hand-over has a receipt of its own."""

    consumption: Consumption
    tag: int
    source: str
