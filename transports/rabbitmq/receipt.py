"""What settles a delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from transports.rabbitmq.consumption import Consumption

MAIN, KEYS, DEAD = "main", "keys", "dead"
"""The consumers of one subscription: of the queue, of its messages with a key, of what was put aside."""


class Receipt(NamedTuple):
    """The generation it came with, its tag there, and from which consumer. Each hand-over has one of its own."""

    consumption: Consumption
    tag: int
    source: str
