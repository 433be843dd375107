"""Observing: what happens in a process is told to those who want to hear it: logs, metrics, traces, tests, the audit.

An observer names what it wants to hear; what is not named costs nothing. Several observers are made one at the start
(``all_of``), so that each place asks one thing only: is there a call for this, or not?
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import msgspec
import structlog

from worker.messaging.envelope import Envelope
from worker.messaging.pausing import Pause
from worker.messaging.stamps import Received
from worker.messaging.transport import Delivery, Outcome, Outgoing, Settled, Settlement

How = Literal["done", "retrying", "failed", "returned"]
"""How an attempt ended; ``returned``: given back, nothing charged."""

log = structlog.stdlib.get_logger("worker.observing")


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt at a message has ended, and how it is settled is decided.

    Attributes:
        outcome: how.
        type: wire name; None where it could not be read.
        message_id: of the message, or of its delivery where it could not be read.
        place: transport and queue that it was taken from.
        attempt: number of the attempt, from 1.
        envelope: None where it could not be read, or was handled in another process.
        duration: seconds from the start of its chain to here; None where the chain was not started.
    """

    outcome: How
    type: str | None
    message_id: str
    place: Received
    attempt: int = 1
    envelope: Envelope[Any] | None = None
    duration: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """What is heard, a call each; None: this is not wanted. Calls are made on the loop and must not block.

    What a call raises is logged and changes nothing.

    Attributes:
        sent: a batch was answered by its broker or parked: transport, messages, an outcome each.
        received: messages were taken from a queue: transport and queue, deliveries.
        started: the chain of a message is about to run: transport and queue, envelope.
        ended: an attempt has ended.
        settled: the broker has answered settlements: transport and queue, settlements, an answer each.
        paused: nothing of a queue is started any more: transport and queue, why.
        resumed: messages of a queue are started again: transport and queue.
        began: a worker takes messages from now on: its name, its queues.
        stopped: a worker has ended in order: its name, the reason.
    """

    sent: Callable[[str, Sequence[Outgoing], Sequence[Outcome]], object] | None = None
    received: Callable[[Received, Sequence[Delivery]], object] | None = None
    started: Callable[[Received, Envelope[Any]], object] | None = None
    ended: Callable[[Ended], object] | None = None
    settled: Callable[[Received, Sequence[Settlement], Sequence[Settled]], object] | None = None
    paused: Callable[[Received, Pause], object] | None = None
    resumed: Callable[[Received], object] | None = None
    began: Callable[[str, Sequence[Received]], object] | None = None
    stopped: Callable[[str, str | None], object] | None = None


UNHEARD = Observer()
"""Hears nothing."""


def all_of(observers: Iterable[Observer]) -> Observer:
    """Make one observer of several: each hears what it wants, whatever the others raise."""
    given = tuple(observers)
    calls: dict[str, Any] = {}
    for field in fields(Observer):
        wanted = [call for one in given if (call := getattr(one, field.name)) is not None]
        calls[field.name] = _each(field.name, wanted) if wanted else None
    return Observer(**calls)


def _each(what: str, calls: Sequence[Callable[..., object]]) -> Callable[..., None]:
    def tell(*facts: object) -> None:
        """Tell each of them."""
        for call in calls:
            try:
                call(*facts)
            except Exception:
                log.exception("an observer failed", what=what)

    return tell
