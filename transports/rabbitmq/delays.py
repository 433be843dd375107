"""Delays: a ladder of queues whose times to live are powers of two, a fixed number whatever the delays are.

A delayed message's routing key holds its delay as a binary number, one bit a word, and then its queue:
``0.1.0.….0.place-order``. At each rung it either waits (bit 1) for that rung's time or is passed on at once
(bit 0); below the last rung it is routed to its queue. Times are the broker's: no clock is compared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from transports.rabbitmq.steps import Exchange, ExchangeBinding, Queue, QueueBinding, Step

RUNGS = 24
UNIT = 0.1
"""Seconds of the lowest rung; delays are rounded up to it."""
LONGEST = UNIT * (2**RUNGS - 1)
"""Seconds: nineteen days."""


def exchange(queue_type: str, rung: int) -> str:
    """Name a rung, its exchange and its queue; -1 is the ladder's foot. Kinds of queues have ladders of their own."""
    return f"worker.delay.{queue_type}.{rung:02d}" if rung >= 0 else f"worker.delay.{queue_type}.due"


def entrance(queue_type: str) -> str:
    """Where delayed messages are published."""
    return exchange(queue_type, RUNGS - 1)


def routing_key(queue: str, delay: float) -> str:
    """Write a delay in seconds, rounded up, and the queue behind it."""
    units = min(math.ceil(delay / UNIT - 1e-9), 2**RUNGS - 1)
    return f"{'.'.join(f'{units:0{RUNGS}b}')}.{queue}"


def binding(queue_type: str, queue: str) -> QueueBinding:
    """Let what is due reach a queue."""
    return QueueBinding(queue, exchange(queue_type, -1), f"{'*.' * RUNGS}{queue}")


def rungs(queue_type: str) -> Sequence[str]:
    """Names of the queues in which messages wait."""
    return [exchange(queue_type, rung) for rung in range(RUNGS)]


def marker(queue_type: str) -> Exchange:
    """Ask whether the ladder is there: its entrance is declared last."""
    return Exchange(entrance(queue_type), passive=True)


def ladder(queue_type: str) -> Sequence[Step]:
    """Return everything to declare, from the foot up: what is published meanwhile finds a complete way down."""
    steps: list[Step] = [Exchange(exchange(queue_type, -1))]
    for rung in range(RUNGS):
        name, below = exchange(queue_type, rung), exchange(queue_type, rung - 1)
        arguments: dict[str, str | int | bool] = {
            "x-queue-type": queue_type,
            "x-message-ttl": round(UNIT * 1000) << rung,
            "x-dead-letter-exchange": below,
        }
        if queue_type == "quorum":
            # the copy below is confirmed before this one goes
            arguments |= {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
        before = "*." * (RUNGS - 1 - rung)
        steps += [
            Queue(name, arguments),
            Exchange(name),
            QueueBinding(name, name, f"{before}1.#"),
            ExchangeBinding(below, name, f"{before}0.#"),
        ]
    return steps
